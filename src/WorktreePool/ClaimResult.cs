namespace WorktreePool;

/// <summary>How a claim ended: a lease, or a refusal with its reason.</summary>
public sealed record ClaimResult
{
    private ClaimResult(SlotLease? lease, ClaimRefusal? refusal) => (Lease, Refusal) = (lease, refusal);

    /// <summary>The lease; null when refused.</summary>
    public SlotLease? Lease { get; }

    /// <summary>Why not; null when claimed.</summary>
    public ClaimRefusal? Refusal { get; }

    /// <summary>A granted claim.</summary>
    /// <param name="lease">Its lease.</param>
    public static ClaimResult Claimed(SlotLease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return new ClaimResult(lease, null);
    }

    /// <summary>A refused claim.</summary>
    /// <param name="refusal">Why.</param>
    public static ClaimResult Refused(ClaimRefusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        return new ClaimResult(null, refusal);
    }
}

/// <summary>How a batch of claims ended.</summary>
/// <param name="Results">One result per request, in the order of the requests.</param>
public sealed record BatchClaim(IReadOnlyList<ClaimResult> Results);
