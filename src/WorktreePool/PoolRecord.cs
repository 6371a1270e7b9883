namespace WorktreePool;

/// <summary>What is recorded of the pool as a whole.</summary>
public sealed record PoolRecord
{
    /// <summary>Grows by one at every change; the store sets it. 0 when never stored.</summary>
    public long Version { get; init; }

    /// <summary>Why and since when no claim is granted; null while the pool runs.</summary>
    public PauseRecord? Paused { get; init; }

    /// <summary>The base as the pool itself last saw it. A tracking ref on disk is trusted only while it agrees.</summary>
    public BaseRecord? Base { get; init; }

    /// <summary>Who is inside which gate, by the gate's name; null while nobody is in any.</summary>
    public IReadOnlyDictionary<string, GateRecord>? Gates { get; init; }
}

/// <summary>A pause.</summary>
/// <param name="Reason">In the operator's words; may be empty.</param>
/// <param name="Since">When, UTC.</param>
public sealed record PauseRecord(string Reason, DateTimeOffset Since);

/// <summary>A base ref and the commit it stood at.</summary>
/// <param name="Ref">A full refname, for example <c>refs/remotes/origin/main</c>, or a full commit id.</param>
/// <param name="Commit">A full commit id.</param>
/// <param name="SeenAt">When it was read or fetched, UTC.</param>
public sealed record BaseRecord(string Ref, string Commit, DateTimeOffset SeenAt)
{
    /// <summary>When the remote was last asked for it, UTC; null: never, or there is no remote.</summary>
    public DateTimeOffset? FetchedAt { get; init; }
}
