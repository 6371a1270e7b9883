namespace WorktreePool;

/// <summary>What a slot was last held for: a claim for the same goes there first, because what it needs may still be warm.</summary>
/// <param name="Key">The lease's key.</param>
/// <param name="Branch">The lease's branch; null when it had none.</param>
public sealed record SlotUse(string Key, string? Branch = null);
