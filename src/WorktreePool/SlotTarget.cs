namespace WorktreePool;

/// <summary>What a slot shall be: the commit its tree, index and HEAD stand at, and the branch HEAD is on.</summary>
/// <param name="Commit">A full commit id.</param>
/// <param name="Branch">A branch's short name, or null for a detached HEAD.</param>
public sealed record SlotTarget(string Commit, string? Branch = null)
{
    /// <summary>What the probe has to do with a watch over the slot. Default: nothing, everything is read.</summary>
    public WatchUse Watch { get; init; }
}
