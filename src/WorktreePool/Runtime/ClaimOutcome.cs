namespace WorktreePool.Runtime;

/// <summary>A claim in progress: what is known so far.</summary>
internal sealed class ClaimAttempt(ClaimRequest request, Deadline deadline)
{
    public ClaimRequest Request => request;

    public Deadline Deadline => deadline;

    /// <summary>The pool as last read.</summary>
    public PoolState? State { get; set; }

    /// <summary>The wanted commit, resolved once per claim.</summary>
    public string? Commit { get; set; }

    /// <summary>Slots that could not be made ready, and why.</summary>
    public List<string> Failures { get; } = [];
}

/// <summary>A slot that this claim has taken: its record before, its record now, and the working lock.</summary>
internal sealed record TakenSlot(SlotRecord Before, SlotRecord Record, LeaseToken Secret, IAsyncDisposable Working);

/// <summary>How a claim ended: a leased record with its token, or a refusal.</summary>
internal sealed record ClaimOutcome(
    SlotRecord? Record, LeaseToken? Secret, ClaimRefusal? Refusal, bool IsAttached,
    IReadOnlyList<string> Healed, IReadOnlyList<string> Rescued, TimeSpan Waited, TimeSpan Prepared)
{
    public static ClaimOutcome Refused(ClaimRefusal refusal) => new(null, null, refusal, false, [], [], TimeSpan.Zero, TimeSpan.Zero);

    public static ClaimOutcome Attached(SlotRecord record, LeaseToken secret) => new(record, secret, null, true, [], [], TimeSpan.Zero, TimeSpan.Zero);
}
