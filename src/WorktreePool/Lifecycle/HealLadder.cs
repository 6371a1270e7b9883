namespace WorktreePool.Lifecycle;

/// <summary>
/// The ladder of ever stronger repairs. Each rung's result is probed again; what a rung did not heal goes to a stronger one.
/// Pure: the same record, probe and rungs tried give the same plan.
/// </summary>
internal static class HealLadder
{
    /// <summary>Findings that a plain reset of index and tree heals, because the slot's structure is sound. All others start at a rebuild.</summary>
    private static readonly HashSet<string> HealedByReset = new(StringComparer.Ordinal)
    {
        FindingIds.OnBranch,
        FindingIds.WrongCommit,
        FindingIds.IndexDiffers,
        FindingIds.IndexUntrusted,
        FindingIds.TreeDiffers,
        FindingIds.Untracked,
    };

    /// <summary>Findings that mean: git in the slot fails, or works on something else.</summary>
    private static readonly HashSet<string> Structural = new(StringComparer.Ordinal)
    {
        FindingIds.SlotMissing,
        FindingIds.SlotNotDirectory,
        FindingIds.GitLinkBroken,
        FindingIds.AdminMissing,
        FindingIds.AdminLinkBroken,
        FindingIds.ForeignOwner,
    };

    /// <summary>Whether git cannot be trusted to work on the slot at all.</summary>
    public static bool IsStructural(string finding) => Structural.Contains(finding);

    /// <summary>What comes upon work in a slot: a claim, a holder's release, what follows upon a dead holder, or the healing of a slot that nobody had.</summary>
    private static string FoundBy(SlotRecord record) => record switch
    {
        { State: SlotState.Preparing } => "claim",
        { Lease: null } => "heal",
        { Lease.Releasing: null } => "reclaim",
        _ => "release",
    };

    /// <summary>The next plan.</summary>
    /// <param name="record">The slot's record, preparing or cleaning.</param>
    /// <param name="endedBranch">The branch of a lease that has ended, still to be deleted; null when there is none or it is gone.</param>
    /// <param name="probe">The last probe.</param>
    /// <param name="tried">The strongest rung tried so far; null at first.</param>
    public static SlotPlan Next(SlotRecord record, string? endedBranch, SlotProbe probe, RepairLevel? tried)
    {
        List<SlotAction> actions = [];
        if (!record.WorkSaved && (!probe.IsReady || endedBranch is not null))
        {
            actions.Add(new SlotAction.SaveWork(FoundBy(record)));
        }

        if (!probe.IsReady)
        {
            if (NextRung(probe, tried) is not { } rung)
            {
                return new SlotPlan(PlanVerdict.GiveUp, [], $"after every repair there is still: {string.Join("; ", probe.Findings)}");
            }

            actions.Add(new SlotAction.Repair(rung));
        }

        if (endedBranch is not null)
        {
            // After the repair: a branch that is checked out cannot be deleted.
            actions.Add(new SlotAction.DeleteBranch(endedBranch));
        }

        return new SlotPlan(actions.Count == 0 ? PlanVerdict.Ready : PlanVerdict.Continue, actions);
    }

    /// <summary>The rung after one that failed; null at the ladder's end.</summary>
    public static RepairLevel? After(RepairLevel failed) => failed == RepairLevel.Recreate ? null : failed + 1;

    private static RepairLevel? NextRung(SlotProbe probe, RepairLevel? tried)
    {
        if (tried is { } rung)
        {
            return After(rung);
        }

        return probe.Findings.All(finding => HealedByReset.Contains(finding.Id)) ? RepairLevel.Reset : RepairLevel.Rebuild;
    }
}
