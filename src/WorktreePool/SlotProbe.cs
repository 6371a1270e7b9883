namespace WorktreePool;

/// <summary>What was read from disk and git about one slot. No finding means ready at the target.</summary>
/// <param name="Findings">What makes it not ready.</param>
/// <param name="Head">The commit HEAD resolves to; null when it does not.</param>
/// <param name="Admin">The admin directory's name, when one belongs to the slot.</param>
public sealed record SlotProbe(IReadOnlyList<Finding> Findings, string? Head, string? Admin)
{
    /// <summary>Whether nothing is wrong.</summary>
    public bool IsReady => Findings.Count == 0;

    /// <summary>Whether index and files were not read, because a watch has seen no change since they were; see <see cref="WatchUse.Trust"/>.</summary>
    public bool IsFromWatch { get; init; }

    /// <summary>Why a slot that was to be watched (<see cref="WatchUse.Begin"/>) is not; null when it is, or was not to be.</summary>
    public string? WhyNotWatched { get; init; }
}
