using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>A claim in progress: what is known so far.</summary>
internal sealed class ClaimAttempt(ClaimRequest request, Deadline deadline, Action? taken, Baton.Place baton)
{
    public ClaimRequest Request => request;

    public Deadline Deadline => deadline;

    /// <summary>Called when a slot is taken.</summary>
    public Action? Taken => taken;

    /// <summary>The pool as last read.</summary>
    public PoolState? State { get; set; }

    /// <summary>The wanted commit, resolved once per claim.</summary>
    public string? Commit { get; set; }

    /// <summary>What had to be put right in the pool's own repository before git was asked anything.</summary>
    public IReadOnlyList<Finding> Restored { get; set; } = [];

    /// <summary>What the last look at the pool offered.</summary>
    public ClaimChoice? Choice { get; set; }

    /// <summary>Whether to look again at once: the last look was stale, or the slot that was taken could not be made ready.</summary>
    public bool LookAgain { get; set; }

    /// <summary>Whether the last look met a working lock over a slot on which, by its record, nobody works: its holder has just ended or just begun.</summary>
    public bool IsPassing { get; set; }

    /// <summary>How many looks met such locks.</summary>
    public int PassingLocks { get; set; }

    /// <summary>Whether the keeper was asked for a slot at the last look and may still give it up.</summary>
    public bool HasAsked { get; set; }

    /// <summary>When it was asked first.</summary>
    public TimeSpan? AskedAt { get; set; }

    /// <summary>Whether the last look left a slot that was just freed to the claim that has the baton.</summary>
    public bool IsCourteous { get; set; }

    /// <summary>When it first did that.</summary>
    public TimeSpan? CourteousSince { get; set; }

    /// <summary>This claim's place in line for the baton.</summary>
    public Baton.Place Baton => baton;

    /// <summary>Slots that could not be made ready, and why.</summary>
    public List<string> Failures { get; } = [];
}

/// <summary>A slot that this claim has taken: its record before, its record now, the working lock, and a probe that has begun.</summary>
internal sealed record TakenSlot(SlotRecord Before, SlotRecord Record, LeaseToken Secret, IAsyncDisposable Working, EarlyProbe? Probe);

/// <summary>How a claim ended: a leased record with its token, or a refusal.</summary>
internal sealed record ClaimOutcome(
    SlotRecord? Record, LeaseToken? Secret, ClaimRefusal? Refusal, bool IsAttached,
    IReadOnlyList<string> Healed, IReadOnlyList<string> Rescued, TimeSpan Waited, TimeSpan Prepared)
{
    public static ClaimOutcome Refused(ClaimRefusal refusal) => new(null, null, refusal, false, [], [], TimeSpan.Zero, TimeSpan.Zero);

    public static ClaimOutcome Attached(SlotRecord record, LeaseToken secret) => new(record, secret, null, true, [], [], TimeSpan.Zero, TimeSpan.Zero);
}
