namespace WorktreePool;

/// <summary>What a release does with uncommitted and unreachable work that it finds in the slot.</summary>
public enum ReleaseMode
{
    /// <summary>Keep it under <c>refs/worktree-pool/rescue/</c> first. The default.</summary>
    Rescue,

    /// <summary>Destroy it: the owner said so.</summary>
    Discard,
}
