namespace WorktreePool.Lifecycle;

/// <summary>What a claim may do with a slot, best first.</summary>
internal enum Availability
{
    /// <summary>Free, last verified at the wanted commit.</summary>
    FreeAtTarget,

    /// <summary>Free.</summary>
    Free,

    /// <summary>Preparing or cleaning: a crash if its working lock is free, else somebody's work in progress. Only the lock can tell.</summary>
    InTransit,

    /// <summary>Leased, and the owner is provably dead or the duration ran out.</summary>
    Dead,

    /// <summary>Never made.</summary>
    Absent,

    /// <summary>Quarantined, and its time to be retried has come.</summary>
    Retryable,

    /// <summary>Not to be had: leased to a live owner, quarantined for longer, or on another host.</summary>
    Unavailable,
}
