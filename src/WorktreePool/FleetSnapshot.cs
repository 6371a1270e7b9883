namespace WorktreePool;

/// <summary>All hosts of a pool at one moment.</summary>
/// <param name="Pool">The pool's name.</param>
/// <param name="Paused">The pause, if any: it is the whole pool's.</param>
/// <param name="Hosts">The hosts, by name.</param>
public sealed record FleetSnapshot(string Pool, PauseRecord? Paused, IReadOnlyList<HostState> Hosts)
{
    /// <summary>How many slots of reachable hosts are free.</summary>
    public int Free => Hosts.Sum(host => host.Free);

    /// <summary>How many slots lie on hosts that are silent: whatever their records say, nobody can have them.</summary>
    public int Unreachable => Hosts.Sum(host => host.Unreachable);

    /// <summary>How many slots there are, unreachable ones included.</summary>
    public int Total => Hosts.Sum(host => host.Counts.Total);
}

/// <summary>One host of a fleet.</summary>
/// <param name="Host">Its name.</param>
/// <param name="CheckedInAt">When it last checked in, UTC, by the store's clock; null: never.</param>
/// <param name="IsReachable">False when it is silent: its slots are unreachable, whatever their records say.</param>
/// <param name="Counts">How many of its slots stand where, by their records.</param>
/// <param name="Ready">How many of the free ones were last verified at the pool's base.</param>
public sealed record HostState(string Host, DateTimeOffset? CheckedInAt, bool IsReachable, PoolCounts Counts, int Ready)
{
    /// <summary>How many of its slots a claim on it can have; none when it is silent.</summary>
    public int Free => IsReachable ? Counts.Free : 0;

    /// <summary>How many of its slots are out of reach: all when it is silent.</summary>
    public int Unreachable => IsReachable ? 0 : Counts.Total;
}
