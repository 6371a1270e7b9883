namespace WorktreePool;

/// <summary>Which leases to list; all that is given must hold.</summary>
public sealed record LeaseQuery
{
    /// <summary>Keys that begin so, compared by code point; null: all.</summary>
    public string? KeyPrefix { get; init; }

    /// <summary>Notes that the lease must carry, each with that value.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Only leases whose holders are overdue.</summary>
    public bool OnlyOverdue { get; init; }
}
