namespace WorktreePool;

/// <summary>A pool at one moment, as recorded.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="BaseRef">The full refname of the base.</param>
/// <param name="BaseCommit">The commit the base was last seen at; null when it cannot be resolved.</param>
/// <param name="Paused">The pause, if any.</param>
/// <param name="Counts">How many slots stand where.</param>
/// <param name="Slots">The slots, by number.</param>
public sealed record PoolSnapshot(string Pool, string BaseRef, string? BaseCommit, PauseRecord? Paused, PoolCounts Counts, IReadOnlyList<SlotSnapshot> Slots)
{
    /// <summary>What in the repository's config, hooks and info is not as it was when it was trusted. It has no effect on the pool, but it may on whoever works in the repository.</summary>
    public IReadOnlyList<Finding> Drift { get; init; } = [];

    /// <summary>What keeps the pool's state from being changed just now, in words: who holds its lock, since when, what to do. Null when nothing does.</summary>
    public string? Obstacle { get; init; }
}

/// <summary>One slot at one moment.</summary>
/// <param name="Record">What is recorded.</param>
/// <param name="OwnerLiveness">Whether the lease's process lives; unknown for a duration lease or none.</param>
/// <param name="Overdue">Whether its holder has not checked in when it was expected to, or its duration lease has run out and was not yet reclaimed.</param>
public sealed record SlotSnapshot(SlotRecord Record, Liveness OwnerLiveness, bool Overdue)
{
    /// <summary>Whether the slot's record was lost, so that it counts as held until a person releases it: nobody can know by whom.</summary>
    public bool IsLost { get; init; }

    /// <summary>Who keeps the slot from being worked on because it was stopped in the middle; null when nobody does, or it cannot be seen.</summary>
    public StoppedWorker? Stopped { get; init; }
}
