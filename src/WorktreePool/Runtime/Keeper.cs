using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>Housekeeping: reclaims, heals, retries and makes slots; examines them for the doctor. Never touches a live lease.</summary>
internal sealed class Keeper(PoolContext context, BaseResolver bases, SlotCleaning cleaning, SlotRoster roster, Fleet fleet)
{
    /// <summary>One pass.</summary>
    public async ValueTask<MaintenanceReport> MaintainAsync(IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        await roster.EnsureAsync(cancellationToken).ConfigureAwait(false);
        List<string> reclaimed = [.. await fleet.MaintainAsync(cancellationToken).ConfigureAwait(false)], healed = [], quarantined = [], rescued = [];
        PoolState state = await context.Store.ReadAsync(cancellationToken).ConfigureAwait(false);
        string commit = await ResolveBaseAsync(state, progress, cancellationToken).ConfigureAwait(false);
        foreach ((int done, SlotRecord record) in state.Slots.Index())
        {
            progress?.Report(new PoolProgress(PoolPhase.Preparing, done, state.Slots.Count, record.Slot));
            if (await WorkForAsync(record, commit, retryAll: false, cancellationToken).ConfigureAwait(false) is not { } what
                || await CleanAsync(record, what, cancellationToken).ConfigureAwait(false) is not { } cleaned)
            {
                continue;
            }

            rescued.AddRange(cleaned.Prepared.Rescued);
            (cleaned.Prepared.Failure is not null ? quarantined : what == HistoryEvent.Reclaimed ? reclaimed : healed).Add(record.Slot);
        }

        progress?.Report(new PoolProgress(PoolPhase.Preparing, state.Slots.Count, state.Slots.Count));
        await PruneRescuesAsync(cancellationToken).ConfigureAwait(false);
        return new MaintenanceReport(reclaimed, healed, quarantined, rescued);
    }

    /// <summary>Drops rescues that are too old, and the oldest of too many.</summary>
    private async ValueTask PruneRescuesAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Rescue> rescues = await context.Git.Rescues.ListAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset oldest = context.Now - context.Options.RescueRetention;
        foreach (Rescue rescue in rescues.Where((rescue, newer) => newer >= context.Options.RescueCount || rescue.At < oldest))
        {
            try
            {
                await context.Git.Rescues.DropAsync(rescue.Id, cancellationToken).ConfigureAwait(false);
                PoolLog.RescueDropped(context.Logger, context.Name, rescue.Id, rescue.At);
            }
            catch (RescueNotFoundException)
            {
                // Another keeper was faster.
            }
        }
    }

    /// <summary>Examines every slot and the repository.</summary>
    public async ValueTask<DoctorReport> ExamineAsync(bool fix, IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        RepositoryFacts facts = await context.Git.InspectAsync(cancellationToken).ConfigureAwait(false);
        await roster.EnsureAsync(cancellationToken).ConfigureAwait(false);
        PoolState state = await context.Store.ReadAsync(cancellationToken).ConfigureAwait(false);
        string commit = await ResolveBaseAsync(state, progress, cancellationToken).ConfigureAwait(false);
        List<SlotExamination> slots = [];
        foreach (SlotRecord record in state.Slots)
        {
            progress?.Report(new PoolProgress(PoolPhase.Examining, slots.Count, state.Slots.Count, record.Slot));
            slots.Add(await ExamineAsync(record, commit, fix, cancellationToken).ConfigureAwait(false));
        }

        progress?.Report(new PoolProgress(PoolPhase.Examining, slots.Count, state.Slots.Count));
        return new DoctorReport(
            slots,
            [.. facts.Findings, .. await ExamineRemotesAsync(cancellationToken).ConfigureAwait(false), .. await ExamineHeldAsync(state, cancellationToken).ConfigureAwait(false)]);
    }

    /// <summary>What the remotes say; nothing when they cannot be asked: that a remote is away for a while is no damage.</summary>
    private async ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(CancellationToken cancellationToken)
    {
        string baseRef = await bases.GetBaseRefAsync(cancellationToken).ConfigureAwait(false);
        using var deadline = new Deadline(context.Time, BaseResolver.LongestFetch, cancellationToken);
        try
        {
            return await context.Git.ExamineRemotesAsync(baseRef, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitBackendException || (e is OperationCanceledException && deadline.HasPassed))
        {
            PoolLog.RemoteNotAsked(context.Logger, context.Name, e.Message);
            return [];
        }
    }

    /// <summary>
    /// Held slots whose structure is broken: their holder's git fails, or works on another slot. What is changed in them is their holder's, and
    /// nothing of it is changed here.
    /// </summary>
    private async ValueTask<List<Finding>> ExamineHeldAsync(PoolState state, CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        foreach (SlotRecord record in state.Slots.Where(slot => slot is { State: SlotState.Leased, Commit: not null } && slot.Host == context.Host))
        {
            SlotProbe probe = await context.Git.ProbeAsync(record.Place, new SlotTarget(record.Commit!), cancellationToken).ConfigureAwait(false);
            findings.AddRange(probe.Findings.Where(finding => HealLadder.IsStructural(finding.Id))
                .Select(finding => new Finding(finding.Id, $"{record.Slot}, held for \"{record.Lease?.Key}\": {finding.Detail}. It is repaired when it is released")));
        }

        return findings;
    }

    private async ValueTask<SlotExamination> ExamineAsync(SlotRecord record, string commit, bool fix, CancellationToken cancellationToken)
    {
        if (record.State == SlotState.Leased && !SlotLifecycle.IsDead(record, context.LivenessOf(record), context.Now))
        {
            return new SlotExamination(record.Slot, record.State, true, [], false);
        }

        SlotProbe probe = await context.Git.ProbeAsync(record.Place, new SlotTarget(commit), cancellationToken).ConfigureAwait(false);
        bool isReady = probe.IsReady && record.State == SlotState.Free;
        bool isFixed = false;
        if (fix && !isReady && await WorkForAsync(record, commit, retryAll: true, cancellationToken).ConfigureAwait(false) is { } what)
        {
            isFixed = await CleanAsync(record, what, cancellationToken).ConfigureAwait(false) is { Prepared.Failure: null };
        }

        return new SlotExamination(record.Slot, record.State, isReady, probe.Findings, isFixed);
    }

    /// <summary>What is to be done with a slot that nobody holds; null for nothing.</summary>
    private async ValueTask<HistoryEvent?> WorkForAsync(SlotRecord record, string commit, bool retryAll, CancellationToken cancellationToken)
    {
        switch (SlotLifecycle.Assess(record, context.Host, commit, context.LivenessOf(record), context.Now))
        {
            case Availability.Dead or Availability.InTransit:
                return HistoryEvent.Reclaimed;
            case Availability.Absent:
                return HistoryEvent.Provisioned;
            case Availability.Retryable:
                return HistoryEvent.Healed;
            case Availability.Unavailable:
                return retryAll && record.State == SlotState.Quarantined && record.Host == context.Host ? HistoryEvent.Healed : null;
            default:
                // Looked at without the working lock, so that no claim has to pass the slot by; if it changes meanwhile, the
                // compare-and-set that follows fails and nothing is done.
                SlotProbe probe = await context.Git.ProbeAsync(record.Place, new SlotTarget(commit), cancellationToken).ConfigureAwait(false);
                return probe.IsReady && record.Commit == commit ? null : HistoryEvent.Healed;
        }
    }

    private async ValueTask<CleanedSlot?> CleanAsync(SlotRecord record, HistoryEvent what, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken);
        try
        {
            return await cleaning.TryRunAsync(record, what, deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            // Left half done under a free lock: the next pass or claim goes on with it.
            return null;
        }
    }

    private async ValueTask<string> ResolveBaseAsync(PoolState state, IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken);
        return await bases.ResolveAsync(null, state.Pool, deadline, progress).ConfigureAwait(false);
    }
}
