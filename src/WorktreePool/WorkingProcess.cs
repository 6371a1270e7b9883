namespace WorktreePool;

/// <summary>A process that works in a slot: it is there with its current directory, its program or an open file, or it carries the lease's marker.</summary>
/// <param name="Identity">Which process.</param>
/// <param name="Name">What it runs, for people.</param>
/// <param name="IsMarked">Whether it carries the marker of a lease of this slot; see <see cref="SlotLease.Environment"/>.</param>
public sealed record WorkingProcess(ProcessIdentity Identity, string Name, bool IsMarked)
{
    /// <summary>
    /// Whether it is a child of this process that looks like this process: one that has been forked, and has not become its program yet. Until then it has everything
    /// open that this process had open at that moment.
    /// </summary>
    internal bool IsStarting { get; init; }
}
