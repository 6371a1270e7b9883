namespace WorktreePool;

/// <summary>One thing that happened to a slot. Never holds a token.</summary>
public sealed record HistoryEntry
{
    /// <summary>When, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What.</summary>
    public required HistoryEvent Event { get; init; }

    /// <summary>The host on which it happened; null where it was written before hosts were told.</summary>
    public string? Host { get; init; }

    /// <summary>The slot; null for what concerns the whole pool.</summary>
    public string? Slot { get; init; }

    /// <summary>The key of the lease it concerns.</summary>
    public string? Key { get; init; }

    /// <summary>The slot's epoch then.</summary>
    public long Epoch { get; init; }

    /// <summary>In words.</summary>
    public string? Detail { get; init; }

    /// <summary>How long a claim waited for a slot; null for other events, and where it was written before this was told.</summary>
    public TimeSpan? Waited { get; init; }

    /// <summary>How long a claim took to make its slot ready; null as for <see cref="Waited"/>.</summary>
    public TimeSpan? Prepared { get; init; }

    /// <summary>Ids of what was found wrong.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>Ids of rescues made.</summary>
    public IReadOnlyList<string> Rescued { get; init; } = [];
}

/// <summary>What can happen.</summary>
public enum HistoryEvent
{
    /// <summary>A lease was handed out. With findings, the slot was healed for it.</summary>
    Claimed,

    /// <summary>A slot was found not ready and made ready.</summary>
    Healed,

    /// <summary>A lease was released by its holder.</summary>
    Released,

    /// <summary>A dead holder's slot, or one left half done by a crash, was taken over.</summary>
    Reclaimed,

    /// <summary>A slot was set aside.</summary>
    Quarantined,

    /// <summary>A slot was made.</summary>
    Provisioned,

    /// <summary>A slot was removed from the pool.</summary>
    Removed,

    /// <summary>The pool was paused.</summary>
    Paused,

    /// <summary>The pool was resumed.</summary>
    Resumed,

    /// <summary>A record that was damaged, missing or older than its copy was restored from the copy.</summary>
    Restored,

    /// <summary>A holder has not checked in when it was expected to. Its lease goes on.</summary>
    Overdue,

    /// <summary>A process that was stopped while everybody waited for it was told to continue.</summary>
    Continued,
}

/// <summary>Which history to read.</summary>
/// <param name="Slot">Only this slot; null for all.</param>
/// <param name="Key">Only this key; null for all.</param>
/// <param name="Limit">At most so many, newest first; at least 1.</param>
/// <param name="Event">Only this event; null for all.</param>
/// <param name="Since">Only what happened then or later; null for all.</param>
public sealed record HistoryQuery(string? Slot = null, string? Key = null, int Limit = 100, HistoryEvent? Event = null, DateTimeOffset? Since = null)
{
    /// <summary>Whether an entry is asked for, whatever the limit.</summary>
    /// <param name="entry">The entry.</param>
    public bool Selects(HistoryEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return (Slot is null || entry.Slot == Slot) && (Key is null || entry.Key == Key) && (Event is null || entry.Event == Event) && (Since is null || entry.At >= Since);
    }
}
