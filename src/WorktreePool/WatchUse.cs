namespace WorktreePool;

/// <summary>What a probe has to do with a watch over the slot, where <see cref="WorktreePoolOptions.WatchSlots"/> allows one. A backend that cannot watch reads everything.</summary>
public enum WatchUse
{
    /// <summary>Everything is read; a watch is neither used nor begun.</summary>
    None,

    /// <summary>Everything is read, and if the slot is ready it is watched from then on.</summary>
    Begin,

    /// <summary>Index and files that a watch has seen unchanged since they were last read are not read again. The watch ends, for the slot is about to be used.</summary>
    Trust,
}
