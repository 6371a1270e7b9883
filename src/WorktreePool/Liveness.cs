namespace WorktreePool;

/// <summary>What is known of a process.</summary>
public enum Liveness
{
    /// <summary>It cannot be told: for example it runs on another host. Treated as alive.</summary>
    Unknown,

    /// <summary>It runs.</summary>
    Alive,

    /// <summary>It is provably gone: same host, and the boot differs, the pid is gone, or its start time differs.</summary>
    Dead,
}
