namespace WorktreePool;

/// <summary>Where a slot stands in its life. Every change is one compare-and-set on the slot's record.</summary>
public enum SlotState
{
    /// <summary>Recorded, but its worktree was never made.</summary>
    Absent,

    /// <summary>Nobody holds it.</summary>
    Free,

    /// <summary>A claim works on its disk. With a free working lock it is a crash and may be taken over at once.</summary>
    Preparing,

    /// <summary>A lease holds it.</summary>
    Leased,

    /// <summary>A release, a reclaim or the keeper works on its disk. With a free working lock it is a crash.</summary>
    Cleaning,

    /// <summary>Healing failed; set aside with a reason and retried with backoff.</summary>
    Quarantined,
}
