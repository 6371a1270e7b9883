namespace WorktreePool;

/// <summary>How a claim ended: a lease, a refusal with its reason, or, in a batch, a failure. Exactly one of the three is there.</summary>
public sealed record ClaimResult
{
    private ClaimResult(SlotLease? lease, ClaimRefusal? refusal, Exception? failure) => (Lease, Refusal, Failure) = (lease, refusal, failure);

    /// <summary>The lease; null when refused or failed.</summary>
    public SlotLease? Lease { get; }

    /// <summary>Why not; null when claimed or failed.</summary>
    public ClaimRefusal? Refusal { get; }

    /// <summary>What <see cref="IWorktreePool.ClaimAsync"/> would have thrown, for one claim of a batch; null otherwise. Nothing stays claimed for it.</summary>
    public Exception? Failure { get; }

    /// <summary>A granted claim.</summary>
    /// <param name="lease">Its lease.</param>
    public static ClaimResult Claimed(SlotLease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return new ClaimResult(lease, null, null);
    }

    /// <summary>A refused claim.</summary>
    /// <param name="refusal">Why.</param>
    public static ClaimResult Refused(ClaimRefusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        return new ClaimResult(null, refusal, null);
    }

    /// <summary>A failed claim.</summary>
    /// <param name="failure">Why.</param>
    public static ClaimResult Failed(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return new ClaimResult(null, null, failure);
    }
}

/// <summary>How a batch of claims ended.</summary>
/// <param name="Results">One result per request, in the order of the requests.</param>
public sealed record BatchClaim(IReadOnlyList<ClaimResult> Results);

/// <summary>How one claim of a batch ended.</summary>
/// <param name="Index">Which request, counted from 0.</param>
/// <param name="Request">The request.</param>
/// <param name="Result">Its result; a lease in it is the reader's from now on.</param>
public sealed record BatchClaimItem(int Index, ClaimRequest Request, ClaimResult Result);
