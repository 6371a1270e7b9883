namespace WorktreePool;

/// <summary>What is recorded of one slot. Immutable: a change is a new record, put in place by compare-and-set on <see cref="Version"/>.</summary>
public sealed record SlotRecord
{
    /// <summary>The slot's name, <c>slot-0</c> and so on; the key of the record.</summary>
    public required string Slot { get; init; }

    /// <summary>The host on whose disk the slot lies.</summary>
    public required string Host { get; init; }

    /// <summary>The absolute path of the slot's directory.</summary>
    public required string Path { get; init; }

    /// <summary>The name of its admin directory; null before it was first made.</summary>
    public string? Admin { get; init; }

    /// <summary>Where the slot stands.</summary>
    public SlotState State { get; init; }

    /// <summary>Grows by one at every change; the store sets it. 0 in a record that was never stored.</summary>
    public long Version { get; init; }

    /// <summary>The fencing number: grows at every change of holder and every take-over.</summary>
    public long Epoch { get; init; }

    /// <summary>The commit the slot was last verified at; null when unknown.</summary>
    public string? Commit { get; init; }

    /// <summary>The lease in <see cref="SlotState.Preparing"/>, <see cref="SlotState.Leased"/> and, while its remains are removed, <see cref="SlotState.Cleaning"/>.</summary>
    public LeaseRecord? Lease { get; init; }

    /// <summary>The branch of a lease that has ended and is still to be deleted; null when none is left.</summary>
    public string? EndedBranch { get; init; }

    /// <summary>The process that works on the slot's disk while it is preparing or cleaning.</summary>
    public ProcessIdentity? Worker { get; init; }

    /// <summary>Whether the worker gives the slot up for a claim; null when it does not, or when nobody works on it.</summary>
    public SlotYield? Yield { get; init; }

    /// <summary>
    /// True once everything worth keeping in the slot has been kept (or was to be discarded), so that whoever takes over a
    /// half-done heal does not rescue its debris. Reset when a lease is handed out or the slot is free.
    /// </summary>
    public bool WorkSaved { get; init; }

    /// <summary>What the pool has put into the slot besides its commit; null when nothing.</summary>
    public SetUpRecord? SetUp { get; init; }

    /// <summary>What the slot was last held for; null before the first lease ended.</summary>
    public SlotUse? LastUse { get; init; }

    /// <summary>The last time something was wrong with the slot and healed.</summary>
    public HealRecord? LastHeal { get; init; }

    /// <summary>Why the slot is set aside; only in <see cref="SlotState.Quarantined"/>.</summary>
    public QuarantineRecord? Quarantine { get; init; }

    /// <summary>When the record last changed, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The slot's place on disk.</summary>
    public SlotPlace Place => new(Slot, Path, Admin);
}
