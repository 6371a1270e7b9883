namespace WorktreePool;

/// <summary>How strongly a git backend puts a slot right. Each includes all that the one before does.</summary>
public enum RepairLevel
{
    /// <summary>Move index and tree to the target, remove what is not in it. Enough for a slot whose structure is sound.</summary>
    Reset,

    /// <summary>Also write the slot's links and admin directory anew by content, and rebuild the index. Makes an absent slot.</summary>
    Rebuild,

    /// <summary>Move what is there aside, make the slot anew, then delete what was set aside.</summary>
    Recreate,
}
