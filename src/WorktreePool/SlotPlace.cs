namespace WorktreePool;

/// <summary>Where one slot lives: all that a git backend needs to find it.</summary>
/// <param name="Slot">The slot's name, <c>slot-0</c> and so on.</param>
/// <param name="Path">The absolute path of the slot's directory; it never changes.</param>
/// <param name="Admin">The name of the slot's admin directory under the repository's <c>worktrees</c>; null before the slot was first made.</param>
public sealed record SlotPlace(string Slot, string Path, string? Admin);
