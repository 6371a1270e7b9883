namespace WorktreePool;

/// <summary>The lease in a slot's record.</summary>
public sealed record LeaseRecord
{
    /// <summary>What the claim is for; at most one live lease in a pool has it.</summary>
    public required string Key { get; init; }

    /// <summary>See <see cref="LeaseToken.Hash"/>.</summary>
    public required string TokenHash { get; init; }

    /// <summary>Who keeps it alive.</summary>
    public required LeaseOwner Owner { get; init; }

    /// <summary>The branch the claim asked for; release deletes it.</summary>
    public string? Branch { get; init; }

    /// <summary>The commit the slot was handed over at; null while preparing.</summary>
    public string? Commit { get; init; }

    /// <summary>When it was claimed, UTC.</summary>
    public DateTimeOffset ClaimedAt { get; init; }

    /// <summary>When the holder last checked in, UTC.</summary>
    public DateTimeOffset CheckedInAt { get; init; }

    /// <summary>When a duration lease ends, UTC; null for a process lease.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>How often the holder is expected to check in; null: never.</summary>
    public TimeSpan? CheckInEvery { get; init; }

    /// <summary>When the keeper told of an overdue check-in, UTC; null while there is none. A check-in resets it.</summary>
    public DateTimeOffset? OverdueSince { get; init; }

    /// <summary>
    /// The same by the machine's own clock. As long as the machine has not been started anew it counts before <see cref="ExpiresAt"/>, so that a wall clock that
    /// is set neither ends a lease nor prolongs it. Null for a process lease, and where several machines share a store with a clock of its own.
    /// </summary>
    public BootTime? ExpiresAtBootTime { get; init; }

    /// <summary>What a release in progress does with work; written before the disk is touched, so that a successor does the same.</summary>
    public ReleaseMode? Releasing { get; init; }

    /// <summary>The claimer's own notes.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}
