using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// Makes one slot ready: probes, carries out the ladder's plans against the git seam, and probes again. The caller holds the slot's
/// working lock and has written its intent; no other lock is held here.
/// </summary>
internal sealed class SlotPreparation(PoolContext context, RepositoryCare care)
{
    private readonly Leftovers _leftovers = new(context);

    /// <summary>Makes the slot ready, detached at <paramref name="commit"/>.</summary>
    /// <param name="record">The slot's record, preparing or cleaning.</param>
    /// <param name="commit">The wanted commit.</param>
    /// <param name="restored">What has been put right in the pool's own repository on the way here.</param>
    /// <param name="takenOver">Whether its holder, or the process that worked on it before, is dead: its job or its git may still run.</param>
    /// <param name="begun">A probe against the commit where the slot was left that has begun under the working lock; null: none.</param>
    /// <param name="cancellationToken">The deadline.</param>
    public async ValueTask<PreparedSlot> RunAsync(
        SlotRecord record, string commit, IReadOnlyList<Finding> restored, bool takenOver, EarlyProbe? begun, CancellationToken cancellationToken)
    {
        var work = new Work(record);
        List<string> drifted = [.. restored.Select(finding => finding.Id)];
        try
        {
            // A slot that was given back unverified may still be worked on by a git that was killed and is slow to go.
            if (takenOver || record.Commit is null)
            {
                await context.Git.EvictAsync(record.Place, cancellationToken).ConfigureAwait(false);
            }

            drifted.AddRange((await care.RestoreAsync(cancellationToken).ConfigureAwait(false)).Select(finding => finding.Id));

            // A probe that looked into a repository which has been put right since proves nothing; nor is a slot that has something to lose known by it.
            if (begun is not null && (drifted.Count > 0 || (record.Commit != commit && !MayMove(record))))
            {
                await begun.EndAsync().ConfigureAwait(false);
                begun = null;
            }

            string? failure = await ClimbAsync(work, commit, takenOver, begun, cancellationToken).ConfigureAwait(false);
            if (failure is null)
            {
                // Last: until the slot is off them, its own rescue needs the refs that its holder made.
                work.Rescued.AddRange((await care.SweepAsync(work.Record, cancellationToken).ConfigureAwait(false)).Select(rescue => rescue.Id));
            }

            return new PreparedSlot(work.Record, Healed(), work.Rescued, failure);
        }
        catch (Exception e) when (e is GitBackendException or SetUpFailedException)
        {
            // Work that cannot be kept is not wiped, and a slot that cannot be examined or that the last rung cannot make is set aside.
            return new PreparedSlot(work.Record, Healed(), work.Rescued, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something in the slot that nobody foresaw stands in the way of looking at it: the same.
            return new PreparedSlot(work.Record, Healed(), work.Rescued, $"{FindingIds.Unreadable}: {record.Slot} could not be worked on: {e.Message} It was left as it is. Look at that place; the slot is tried again by itself.");
        }

        List<string> Healed() => [.. drifted.Concat(work.Healed ?? []).Distinct()];
    }

    /// <summary>Climbs the ladder until the slot is ready; why it was given up, or null.</summary>
    private async ValueTask<string?> ClimbAsync(Work work, string commit, bool takenOver, EarlyProbe? begun, CancellationToken cancellationToken)
    {
        var target = new SlotTarget(commit);
        string? endedBranch = work.Record.EndedBranch;
        RepairLevel? tried = null;
        string? failure = null;

        // A free slot that is still ready has nobody in it who did anything: to look for processes would cost more than the rest of the claim.
        // But what a dead dispatcher has started may live on, and not have touched a file yet.
        // One that still holds copied files was somebody's a moment ago.
        bool isAlone = takenOver || work.Record.State == SlotState.Cleaning || work.Record.SetUp is { Copied.Count: > 0 };
        if (isAlone && await LeaveAsync(work, cancellationToken).ConfigureAwait(false) is { } busy)
        {
            return busy;
        }

        await SlotSetUp.TakeCopiesOutAsync(context, work.Record, cancellationToken).ConfigureAwait(false);

        string? left = work.Record.Commit;
        SlotProbe? known = left != commit ? await ProbeWhereLeftAsync(work, begun, cancellationToken).ConfigureAwait(false) : begun is not null ? await begun.Result.ConfigureAwait(false) : null;
        bool moves = left != commit && known is not null;

        // A slot that only moves was ready, too.
        isAlone |= moves;
        while (true)
        {
            SlotTarget sought = target with { MovedFrom = moves && tried == RepairLevel.Reset ? left : null };
            SlotProbe probe = known ?? await context.Git.ProbeAsync(work.Record.Place, sought, cancellationToken).ConfigureAwait(false);
            known = null;
            work.Healed ??= [.. probe.Findings.Select(finding => finding.Id).Distinct()];
            work.Record = work.Record with { Admin = probe.Admin ?? work.Record.Admin ?? work.Record.Slot };
            if (!isAlone && !probe.IsReady)
            {
                isAlone = true;
                if (await LeaveAsync(work, cancellationToken).ConfigureAwait(false) is { } working)
                {
                    return working;
                }
            }

            SlotPlan plan = HealLadder.Next(work.Record, endedBranch, probe, tried);
            if (plan.Verdict != PlanVerdict.Continue)
            {
                return Join(plan.Reason, failure);
            }

            foreach (SlotAction action in plan.Actions)
            {
                try
                {
                    switch (action)
                    {
                        case SlotAction.SaveWork save:
                            await SaveAsync(work, endedBranch, commit, save.Reason, cancellationToken).ConfigureAwait(false);
                            break;
                        case SlotAction.Repair repair:
                            tried = repair.Level;
                            work.Record = work.Record with { Admin = await context.Git.RepairAsync(work.Record.Place, commit, repair.Level, cancellationToken).ConfigureAwait(false) };
                            break;
                        case SlotAction.DeleteBranch delete:
                            await context.Git.DeleteBranchAsync(delete.Branch, cancellationToken).ConfigureAwait(false);
                            endedBranch = null;
                            work.Record = await StoreAsync(SlotLifecycle.BranchDeleted(work.Record, context.Now), cancellationToken).ConfigureAwait(false);
                            break;
                    }
                }
                catch (GitBackendException e) when (action is SlotAction.Repair { Level: var level } && HealLadder.After(level) is not null)
                {
                    // This rung cannot do it; the probe and the next rung decide.
                    failure = e.Message;
                    break;
                }
            }
        }
    }

    /// <summary>
    /// A slot that is ready at the commit where it was left, while another is wanted, holds nobody's work and is not damaged: it only moves.
    /// </summary>
    /// <returns>What to plan from; null when the slot is not ready there.</returns>
    private async ValueTask<SlotProbe?> ProbeWhereLeftAsync(Work work, EarlyProbe? begun, CancellationToken cancellationToken)
    {
        if (!MayMove(work.Record))
        {
            return null;
        }

        string left = work.Record.Commit!;
        SlotProbe probe = begun is not null ? await begun.Result.ConfigureAwait(false) : await context.Git.ProbeAsync(work.Record.Place, new SlotTarget(left), cancellationToken).ConfigureAwait(false);
        if (!probe.IsReady)
        {
            return null;
        }

        // Recorded, so that a crash on the way leaves nothing that looks like work.
        work.Record = await StoreAsync(SlotLifecycle.SaveWork(work.Record, context.Now), cancellationToken).ConfigureAwait(false);
        work.Healed = [];
        return probe with { Findings = [new Finding(FindingIds.WrongCommit, $"HEAD is {left}, where the slot was left")] };
    }

    private static bool MayMove(SlotRecord record) => record is { WorkSaved: false, Commit: not null, EndedBranch: null };

    /// <summary>Sees to it that nobody works in the slot any more; why somebody does, or null.</summary>
    private async ValueTask<string?> LeaveAsync(Work work, CancellationToken cancellationToken)
    {
        string? busy = await _leftovers.EndAsync(work.Record, cancellationToken).ConfigureAwait(false);
        if (busy is not null)
        {
            work.Healed = [FindingIds.ProcessLeft];
        }

        return busy;
    }

    private async ValueTask SaveAsync(Work work, string? endedBranch, string commit, string reason, CancellationToken cancellationToken)
    {
        var request = new RescueRequest(work.Record.Lease?.Key, work.Record.Epoch, endedBranch, commit, reason, context.Now);
        if (await context.Git.RescueAsync(work.Record.Place, request, cancellationToken).ConfigureAwait(false) is { } rescue)
        {
            work.Rescued.Add(rescue.Id);
        }

        work.Record = await StoreAsync(SlotLifecycle.SaveWork(work.Record, context.Now), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<SlotRecord> StoreAsync(SlotRecord next, CancellationToken cancellationToken) =>
        (await context.StoreOwnAsync(next, entry: null, cancellationToken).ConfigureAwait(false)).Stored ?? throw new StateStoreException(
            $"The record of {next.Slot} changed while this process worked on the slot under its lock. The slot was left as it is; the next claim heals it. Is another version of the library, or a hand, writing the same pool?");

    private static string? Join(string? reason, string? failure) =>
        reason is null ? null : failure is null ? reason : $"{reason} (a repair failed: {failure})";

    /// <summary>A preparation in progress: the record as now stored, and what has been found and kept so far.</summary>
    private sealed class Work(SlotRecord record)
    {
        public SlotRecord Record { get; set; } = record;

        public IReadOnlyList<string>? Healed { get; set; }

        public List<string> Rescued { get; } = [];
    }
}

/// <summary>How a preparation ended.</summary>
/// <param name="Record">The slot's record as now stored, with the admin name that was found or made.</param>
/// <param name="Healed">Ids of what was wrong at first; none when the slot was ready.</param>
/// <param name="Rescued">Ids of rescues made.</param>
/// <param name="Failure">Why the slot could not be made ready; null when it is ready.</param>
internal sealed record PreparedSlot(SlotRecord Record, IReadOnlyList<string> Healed, IReadOnlyList<string> Rescued, string? Failure);
