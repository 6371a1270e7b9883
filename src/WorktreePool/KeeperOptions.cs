namespace WorktreePool;

/// <summary>How the keeper works. Where it comes from a configuration that is reloaded, a change counts at once.</summary>
public sealed class KeeperOptions
{
    /// <summary>How long the keeper rests between two passes, unless something is due earlier: a retry, a lease that runs out, a check-in. More than zero, at most 30 days; default 30 s.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How old the keeper lets the pool's knowledge of its base grow before it asks the remote. Zero: at every pass. Null: never. Default 1 minute.</summary>
    public TimeSpan? BaseRefresh { get; set; } = TimeSpan.FromMinutes(1);
}
