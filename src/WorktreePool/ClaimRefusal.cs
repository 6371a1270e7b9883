namespace WorktreePool;

/// <summary>Why a claim was refused.</summary>
public sealed record ClaimRefusal
{
    /// <summary>The kind.</summary>
    public required RefusalReason Reason { get; init; }

    /// <summary>The key that was asked for.</summary>
    public required string Key { get; init; }

    /// <summary>In words: what stands in the way, who holds what, and the setting to change.</summary>
    public required string Message { get; init; }

    /// <summary>Who holds the key, for <see cref="RefusalReason.KeyHeld"/>; else who has held a slot for longest, when somebody does.</summary>
    public SlotHolder? Holder { get; init; }

    /// <summary>The pool at that moment.</summary>
    public required PoolCounts Counts { get; init; }

    /// <summary>When trying again may help; null when it cannot be told.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>The kinds of refusal.</summary>
public enum RefusalReason
{
    /// <summary>No slot is free, and the claim was not to wait.</summary>
    Exhausted,

    /// <summary>No slot became ready in time.</summary>
    Timeout,

    /// <summary>A live lease has the key.</summary>
    KeyHeld,

    /// <summary>The pool is paused.</summary>
    Paused,

    /// <summary>Slots there are, but none could be made ready.</summary>
    Quarantined,

    /// <summary>The claim named a token that is no longer valid.</summary>
    LeaseLost,
}

/// <summary>Who holds a slot.</summary>
/// <param name="Slot">The slot.</param>
/// <param name="Key">For what.</param>
/// <param name="Since">Since when, UTC.</param>
/// <param name="Owner">Who keeps the lease alive.</param>
/// <param name="Liveness">Whether a process owner lives; <see cref="Liveness.Unknown"/> for a duration lease.</param>
public sealed record SlotHolder(string Slot, string Key, DateTimeOffset Since, LeaseOwner Owner, Liveness Liveness);

/// <summary>How many slots stand where.</summary>
/// <param name="Total">All.</param>
/// <param name="Free">Nobody's.</param>
/// <param name="Leased">Held.</param>
/// <param name="Preparing">Being prepared for a claim.</param>
/// <param name="Cleaning">Being cleaned after a release.</param>
/// <param name="Quarantined">Set aside.</param>
/// <param name="Absent">Never made.</param>
public sealed record PoolCounts(int Total, int Free, int Leased, int Preparing, int Cleaning, int Quarantined, int Absent)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Total} slots: {Free} free, {Leased} leased, {Preparing + Cleaning} healing ({Preparing} preparing, {Cleaning} cleaning), {Quarantined} quarantined, {Absent} absent";
}
