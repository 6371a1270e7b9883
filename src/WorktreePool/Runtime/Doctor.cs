using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>Examines every slot and the repository; heals what nobody holds when asked to.</summary>
internal sealed class Doctor(PoolContext context, BaseResolver bases, Keeper keeper, Housekeeping housekeeping, RepositoryCare care, SlotRoster roster)
{
    public async ValueTask<DoctorReport> ExamineAsync(bool fix, IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        Finding[] obstacle = await context.Store.FindObstacleAsync(cancellationToken).ConfigureAwait(false) is { } text ? [new Finding(FindingIds.StateLocked, text)] : [];

        // First: what somebody made of the repository may be what it cannot be read for.
        IReadOnlyList<Finding> restored = fix ? await care.RestoreAsync(cancellationToken).ConfigureAwait(false) : [];
        RepositoryFacts facts = await context.Git.InspectAsync(cancellationToken).ConfigureAwait(false);
        await roster.EnsureAsync(cancellationToken).ConfigureAwait(false);

        PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
        string commit = await ResolveBaseAsync(state, progress, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<StoppedWorker> stopped = await Obstacle.FindStoppedAsync(context).ConfigureAwait(false);
        List<SlotExamination> slots = [];
        foreach (SlotRecord record in state.Slots)
        {
            progress?.Report(new PoolProgress(PoolPhase.Examining, slots.Count, state.Slots.Count, record.Slot));
            SlotExamination examined = await ExamineAsync(record, commit, fix, cancellationToken).ConfigureAwait(false);
            slots.Add(stopped.FirstOrDefault(worker => worker.Slot == record.Slot) is { } worker
                ? examined with { IsReady = false, Findings = [new Finding(FindingIds.SlotLocked, worker.ToString()), .. examined.Findings] }
                : examined);
        }

        if (fix)
        {
            await care.SweepAsync(null, cancellationToken).ConfigureAwait(false);
        }

        progress?.Report(new PoolProgress(PoolPhase.Examining, slots.Count, state.Slots.Count));
        return new DoctorReport(
            slots,
            [.. obstacle, .. restored, .. facts.Findings, .. await ExamineRemotesAsync(cancellationToken).ConfigureAwait(false), .. await ExamineHeldAsync(state, cancellationToken).ConfigureAwait(false)]);
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
            return SlotLifecycle.IsLost(record)
                ? new SlotExamination(record.Slot, record.State, false, [new Finding(FindingIds.RecordLost, record.Lease!.Metadata.GetValueOrDefault("lost", $"held for \"{record.Lease.Key}\""))], false)
                : new SlotExamination(record.Slot, record.State, true, [], false);
        }

        SlotProbe probe = await context.Git.ProbeAsync(record.Place, new SlotTarget(commit), cancellationToken).ConfigureAwait(false);
        bool isReady = probe.IsReady && record.State == SlotState.Free;
        bool isFixed = false;
        if (fix && !isReady && await keeper.WorkForAsync(record, commit, retryAll: true, cancellationToken).ConfigureAwait(false) is { } what)
        {
            isFixed = await housekeeping.RunAsync(record, what, cancellationToken).ConfigureAwait(false) is { Cleaned.Prepared.Failure: null };
        }

        return new SlotExamination(record.Slot, record.State, isReady, probe.Findings, isFixed);
    }

    private async ValueTask<string> ResolveBaseAsync(PoolState state, IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken);
        return await bases.ResolveAsync(null, null, state.Pool, deadline, progress).ConfigureAwait(false);
    }
}
