namespace WorktreePool;

/// <summary>How a compare-and-set ended.</summary>
/// <param name="Outcome">Whether it was applied, and if not, why.</param>
/// <param name="Stored">The record now stored when applied (with its new version); otherwise null.</param>
/// <param name="Holder">The record whose lease has the key when it is held, be it on another host; null otherwise, and when it was given up a moment later.</param>
public sealed record StoreResult(StoreOutcome Outcome, SlotRecord? Stored, SlotRecord? Holder = null)
{
    /// <summary>Whether the new record is in place.</summary>
    public bool Applied => Outcome == StoreOutcome.Applied;

    /// <summary>Why the entry that came with the record was not added to the history, in words; null when it was, or none came.</summary>
    public string? HistoryFault { get; init; }
}

/// <summary>Whether a compare-and-set was applied.</summary>
public enum StoreOutcome
{
    /// <summary>The new record is in place, durably.</summary>
    Applied,

    /// <summary>The stored version is not the expected one; nothing changed.</summary>
    Conflict,

    /// <summary>Another slot has a lease with the same key; nothing changed.</summary>
    KeyHeld,
}
