using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// Makes one slot ready: probes, carries out the ladder's plans against the git seam, and probes again. The caller holds the slot's
/// working lock and has written its intent; no other lock is held here.
/// </summary>
internal sealed class SlotPreparation(PoolContext context)
{
    /// <summary>Makes the slot ready, detached at <paramref name="commit"/>.</summary>
    /// <param name="record">The slot's record, preparing or cleaning.</param>
    /// <param name="commit">The wanted commit.</param>
    /// <param name="takenOver">Whether the process that worked on it before may be dead, so that its git may still run.</param>
    /// <param name="cancellationToken">The deadline.</param>
    public async ValueTask<PreparedSlot> RunAsync(SlotRecord record, string commit, bool takenOver, CancellationToken cancellationToken)
    {
        IGitBackend git = context.Git;
        var target = new SlotTarget(commit);
        if (takenOver)
        {
            await git.EvictAsync(record.Place, cancellationToken).ConfigureAwait(false);
        }

        List<string> rescued = [];
        string? key = record.Lease?.Key;
        string? endedBranch = record.EndedBranch;
        RepairLevel? tried = null;
        string? failure = null;
        SlotProbe first = await git.ProbeAsync(record.Place, target, cancellationToken).ConfigureAwait(false);
        SlotProbe probe = first;
        while (true)
        {
            SlotPlan plan = HealLadder.Next(record, endedBranch, probe, tried);
            if (plan.Verdict != PlanVerdict.Continue)
            {
                string admin = probe.Admin ?? record.Admin ?? record.Slot;
                return new PreparedSlot(record with { Admin = admin }, [.. first.Findings.Select(finding => finding.Id).Distinct()], rescued, Join(plan.Reason, failure));
            }

            foreach (SlotAction action in plan.Actions)
            {
                try
                {
                    switch (action)
                    {
                        case SlotAction.SaveWork save:
                            var request = new RescueRequest(key, record.Epoch, endedBranch, commit, save.Reason, context.Now);
                            if (await git.RescueAsync(record.Place, request, cancellationToken).ConfigureAwait(false) is { } rescue)
                            {
                                rescued.Add(rescue.Id);
                            }

                            record = await StoreAsync(SlotLifecycle.SaveWork(record, context.Now), cancellationToken).ConfigureAwait(false);
                            break;
                        case SlotAction.Repair repair:
                            tried = repair.Level;
                            record = record with { Admin = await git.RepairAsync(record.Place, commit, repair.Level, cancellationToken).ConfigureAwait(false) };
                            break;
                        case SlotAction.DeleteBranch delete:
                            await git.DeleteBranchAsync(delete.Branch, cancellationToken).ConfigureAwait(false);
                            endedBranch = null;
                            record = await StoreAsync(SlotLifecycle.BranchDeleted(record, context.Now), cancellationToken).ConfigureAwait(false);
                            break;
                    }
                }
                catch (GitBackendException e) when (action is SlotAction.Repair { Level: var level } && HealLadder.After(level) is not null)
                {
                    // This rung cannot do it; the probe and the next rung decide.
                    failure = e.Message;
                    break;
                }
                catch (GitBackendException e)
                {
                    // Work that cannot be kept is not wiped, and a slot that the last rung cannot make is set aside.
                    return new PreparedSlot(record, [.. first.Findings.Select(finding => finding.Id).Distinct()], rescued, e.Message);
                }
            }

            probe = await git.ProbeAsync(record.Place, target, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<SlotRecord> StoreAsync(SlotRecord next, CancellationToken cancellationToken)
    {
        StoreResult result = await context.Store.CompareAndSetAsync(next.Version, next, cancellationToken).ConfigureAwait(false);
        return result.Stored ?? throw new StateStoreException(
            $"The record of {next.Slot} changed while this process worked on the slot under its lock. The slot was left as it is; the next claim heals it. Is another version of the library, or a hand, writing the same pool?");
    }

    private static string? Join(string? reason, string? failure) =>
        reason is null ? null : failure is null ? reason : $"{reason} (a repair failed: {failure})";
}

/// <summary>How a preparation ended.</summary>
/// <param name="Record">The slot's record as now stored, with the admin name that was found or made.</param>
/// <param name="Healed">Ids of what was wrong at first; none when the slot was ready.</param>
/// <param name="Rescued">Ids of rescues made.</param>
/// <param name="Failure">Why the slot could not be made ready; null when it is ready.</param>
internal sealed record PreparedSlot(SlotRecord Record, IReadOnlyList<string> Healed, IReadOnlyList<string> Rescued, string? Failure);
