namespace WorktreePool.Lifecycle;

/// <summary>What to do next with a slot that is being made ready.</summary>
/// <param name="Verdict">Whether it is ready, to be worked on and probed again, or given up.</param>
/// <param name="Actions">The steps, in order; none unless the verdict is <see cref="PlanVerdict.Continue"/>.</param>
/// <param name="Reason">Why it is given up; else null.</param>
internal sealed record SlotPlan(PlanVerdict Verdict, IReadOnlyList<SlotAction> Actions, string? Reason = null);

/// <summary>Where a preparation stands.</summary>
internal enum PlanVerdict
{
    /// <summary>The last probe found nothing wrong and nothing is left to do.</summary>
    Ready,

    /// <summary>Carry out the actions and probe again.</summary>
    Continue,

    /// <summary>The ladder is at its end: quarantine.</summary>
    GiveUp,
}
