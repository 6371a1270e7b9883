using System.Collections.Concurrent;
using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>The keeper's pass over the pool: what is done, in which order. Never touches a live lease.</summary>
internal sealed class Keeper(PoolContext context, BaseResolver bases, Housekeeping housekeeping, SlotSetUp setUp, RepositoryCare care, SlotRoster roster, Fleet fleet, PoolJournal journal)
{
    /// <summary>More slots than this made at the same time wait for the disk.</summary>
    private const int MostMadeAtOnce = 4;

    /// <summary>For each slot the last reason told why it is not watched.</summary>
    private readonly ConcurrentDictionary<string, string> _unwatched = new(StringComparer.Ordinal);

    /// <summary>One pass.</summary>
    /// <param name="baseRefresh">How old the pool's base may be before the remote is asked; null: it is not asked.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    /// <param name="progress">Is told of each slot and of a fetch.</param>
    public async ValueTask<MaintenanceReport> RunAsync(TimeSpan? baseRefresh, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null)
    {
        using PoolTelemetry.Operation? measured = PoolTelemetry.StartPass(context.Name, context.Time);
        await roster.EnsureAsync(cancellationToken).ConfigureAwait(false);
        List<string> reclaimed = [.. await fleet.MaintainAsync(cancellationToken).ConfigureAwait(false)], healed = [], quarantined = [], rescued = [], yielded = [], failures = [];
        await care.RestoreAsync(cancellationToken).ConfigureAwait(false);
        PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> overdue = await TellOverdueAsync(state, cancellationToken).ConfigureAwait(false);
        string commit = await RefreshBaseAsync(state, baseRefresh, failures, progress, cancellationToken).ConfigureAwait(false);
        var tended = new ConcurrentDictionary<string, (HistoryEvent What, KeptSlot Kept)>();
        var telling = new Lock();
        int done = 0;
        foreach (SlotRecord record in state.Slots.Where(slot => slot.State != SlotState.Absent))
        {
            await TendAsync(record, cancellationToken).ConfigureAwait(false);
        }

        // Making slots is a lot of work each, and they have nothing to do with one another.
        var sharing = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Math.Min(Environment.ProcessorCount, MostMadeAtOnce) };
        await Parallel.ForEachAsync(state.Slots.Where(slot => slot.State == SlotState.Absent), sharing, TendAsync).ConfigureAwait(false);
        foreach (SlotRecord record in state.Slots)
        {
            if (!tended.TryGetValue(record.Slot, out (HistoryEvent What, KeptSlot Kept) end))
            {
                continue;
            }

            if (end.Kept.Yielded)
            {
                yielded.Add(record.Slot);
            }
            else if (end.Kept.Cleaned is { } cleaned)
            {
                rescued.AddRange(cleaned.Prepared.Rescued);
                (cleaned.Prepared.Failure is not null ? quarantined : end.What == HistoryEvent.Reclaimed ? reclaimed : healed).Add(record.Slot);
            }
        }

        rescued.AddRange((await care.SweepAsync(null, cancellationToken).ConfigureAwait(false)).Select(rescue => rescue.Id));
        progress?.Report(new PoolProgress(PoolPhase.Preparing, state.Slots.Count, state.Slots.Count));
        await PruneRescuesAsync(cancellationToken).ConfigureAwait(false);
        if (await context.Store.PruneHistoryAsync(context.Now - context.Options.HistoryRetention, context.Options.HistoryLimit, cancellationToken).ConfigureAwait(false))
        {
            PoolLog.HistoryDropped(context.Logger, context.Name);
        }

        measured?.End(failures.Count == 0 ? "done" : "incomplete");
        return new MaintenanceReport(reclaimed, healed, quarantined, rescued) { Yielded = yielded, Overdue = overdue, Failures = failures };

        async ValueTask TendAsync(SlotRecord record, CancellationToken token)
        {
            lock (telling)
            {
                progress?.Report(new PoolProgress(PoolPhase.Preparing, done, state.Slots.Count, record.Slot));
            }

            if (await WorkForAsync(record, commit, retryAll: false, token).ConfigureAwait(false) is { } what)
            {
                tended[record.Slot] = (what, await housekeeping.RunAsync(record, what, token).ConfigureAwait(false));
            }

            lock (telling)
            {
                done++;
            }
        }
    }

    /// <summary>What is to be done with a slot that nobody holds; null for nothing.</summary>
    public async ValueTask<HistoryEvent?> WorkForAsync(SlotRecord record, string commit, bool retryAll, CancellationToken cancellationToken)
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
                SlotProbe probe = await context.Git.ProbeAsync(record.Place, new SlotTarget(commit) { Watch = WatchUse.Begin }, cancellationToken).ConfigureAwait(false);
                TellUnwatched(record.Slot, probe.WhyNotWatched);
                return probe.IsReady && record.Commit == commit && await setUp.SeemsFreshAsync(record, cancellationToken).ConfigureAwait(false) ? null : HistoryEvent.Healed;
        }
    }

    /// <summary>Tells, once for each reason, why a slot that is to be watched is not.</summary>
    private void TellUnwatched(string slot, string? why)
    {
        if (why is not null && (!_unwatched.TryGetValue(slot, out string? told) || told != why))
        {
            PoolLog.NotWatched(context.Logger, context.Name, slot, why);
            _unwatched[slot] = why;
        }
    }

    /// <summary>The commit of the base; asks the remote when that is due, and goes on with what is known when that fails.</summary>
    private async ValueTask<string> RefreshBaseAsync(PoolState state, TimeSpan? maxAge, List<string> failures, IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        if (maxAge is not null)
        {
            using var fetching = new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken);
            try
            {
                return await bases.ResolveAsync(null, maxAge, state.Pool, fetching, progress).ConfigureAwait(false);
            }
            catch (BaseTooOldException e)
            {
                failures.Add(e.Message);
            }
        }

        using var deadline = new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken);
        return await bases.ResolveAsync(null, null, state.Pool, deadline, progress).ConfigureAwait(false);
    }

    /// <summary>Tells, once, of holders who did not check in; a lost race is fine: they just did, or another tells.</summary>
    private async ValueTask<IReadOnlyList<string>> TellOverdueAsync(PoolState state, CancellationToken cancellationToken)
    {
        List<string> told = [];
        foreach (SlotRecord record in state.Slots.Where(slot => slot.Lease is { OverdueSince: null, CheckInEvery: not null } && SlotLifecycle.IsOverdue(slot, context.Now)))
        {
            if (SlotLifecycle.IsDead(record, context.LivenessOf(record), context.Now))
            {
                continue;
            }

            StoreResult result = await context.Store.CompareAndSetAsync(record.Version, SlotLifecycle.TellOverdue(record, context.Now), cancellationToken).ConfigureAwait(false);
            if (result.Stored is { Lease: { } lease } stored)
            {
                told.Add(record.Slot);
                PoolLog.Overdue(context.Logger, context.Name, record.Slot, lease.Key, lease.CheckedInAt);
                await journal.WriteAsync(
                    journal.About(HistoryEvent.Overdue, stored, lease.Key, $"last checked in at {lease.CheckedInAt:u}, expected every {lease.CheckInEvery}"), cancellationToken).ConfigureAwait(false);
            }
        }

        return told;
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
}
