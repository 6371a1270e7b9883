using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>Releases a lease: refuses whoever does not hold it, then cleans the slot.</summary>
internal sealed class Releasing(PoolContext context, SlotCleaning cleaning)
{
    /// <summary>How long to wait for a working lock that a keeper or a claim with a stale look has for a moment.</summary>
    private static readonly TimeSpan PassingLock = TimeSpan.FromMilliseconds(10);

    /// <summary>Releases.</summary>
    /// <param name="find">Finds the leased record that the caller holds; null when it holds none.</param>
    /// <param name="who">The key or slot, for messages.</param>
    /// <param name="mode">What to do with work; null: the pool's setting.</param>
    /// <param name="cancellationToken">Ends the cleaning.</param>
    public async ValueTask<ReleaseReport> RunAsync(Func<SlotRecord, bool> find, string who, ReleaseMode? mode, CancellationToken cancellationToken)
    {
        using PoolTelemetry.Operation? measured = PoolTelemetry.StartRelease(context.Name, context.Time);
        var release = new Release(find, who, mode, new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken));
        using var overdue = new Overdue(context, context.Options.ReleaseTimeout, cancellationToken);
        Task<ReleaseReport> work = overdue.Begin(() => RunAsync(release));
        if (await overdue.IsDoneInTimeAsync(work).ConfigureAwait(false))
        {
            ReleaseReport report = await work.ConfigureAwait(false);
            measured?.End("released", report.Slot);
            return report;
        }

        _ = LogLateEndAsync(work);
        cancellationToken.ThrowIfCancellationRequested();
        throw await TimedOutAsync(release, isOverdue: true).ConfigureAwait(false);
    }

    private async Task<ReleaseReport> RunAsync(Release release)
    {
        using Deadline deadline = release.Deadline;
        try
        {
            while (true)
            {
                PoolState state = await context.ReadAsync(deadline.Token).ConfigureAwait(false);
                SlotRecord record = state.Slots.FirstOrDefault(slot => slot.State == SlotState.Leased && release.Find(slot)) ?? throw new LeaseLostException(
                    $"{release.Who} is not leased to this holder (any more): it was released before, or reclaimed because its owner was gone or its time ran out. Nothing was touched. See worktree-pool history, and worktree-pool rescue list for work that was kept.");
                release.Begun = await cleaning.TryBeginAsync(record, release.Mode ?? context.Options.ReleaseMode, deadline).ConfigureAwait(false);
                if (release.Begun is { } begun)
                {
                    return Report(record, await cleaning.EndAsync(begun, HistoryEvent.Released, deadline).ConfigureAwait(false), deadline);
                }

                await context.WaitForChangeAsync(state.Stamp, PassingLock, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            throw await TimedOutAsync(release, isOverdue: false).ConfigureAwait(false);
        }
    }

    private async ValueTask<ReleaseIncompleteException> TimedOutAsync(Release release, bool isOverdue)
    {
        string limit = $"ReleaseTimeout ({context.Options.ReleaseTimeout.TotalSeconds:0.###} s)";
        string? obstacle = await Obstacle.FindAsync(context, isOverdue).ConfigureAwait(false);
        return release.Begun is { } begun
            ? new ReleaseIncompleteException(
                $"{begun.Record.Slot} could not be cleaned within {limit}{(obstacle is null ? "" : $": {obstacle}")}. It was left as it is and the next claim or keeper pass heals it; what was in it is still rescued unless it was to be discarded. Raise ReleaseTimeout if this happens often.")
            : new ReleaseIncompleteException(
                $"{release.Who} could not be released within {limit}: {obstacle ?? "another process kept the pool's state or the slot locked all the time"}. Nothing was changed, and the lease is still held: release it again. See worktree-pool doctor.")
            { HasBegun = false };
    }

    private async Task LogLateEndAsync(Task work)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or WorktreePoolException)
        {
            PoolLog.LateEnd(context.Logger, context.Name, e.Message);
        }
    }

    /// <summary>A release in progress.</summary>
    private sealed class Release(Func<SlotRecord, bool> find, string who, ReleaseMode? mode, Deadline deadline)
    {
        public Func<SlotRecord, bool> Find => find;

        public string Who => who;

        public ReleaseMode? Mode => mode;

        public Deadline Deadline => deadline;

        /// <summary>Set once the lease has ended.</summary>
        public BegunCleaning? Begun { get; set; }
    }

    private ReleaseReport Report(SlotRecord released, CleanedSlot cleaned, Deadline deadline)
    {
        if (cleaned.Prepared.Failure is { } failure)
        {
            throw new ReleaseIncompleteException(
                $"The lease of {released.Lease!.Key} has ended, but {released.Slot} could not be made ready and is quarantined until {cleaned.Record.Quarantine!.RetryAt:u}: {failure}");
        }

        PoolLog.Released(context.Logger, context.Name, released.Slot, released.Lease!.Key);
        return new ReleaseReport(released.Slot, released.Lease!.Key, cleaned.Commit, cleaned.Prepared.Rescued, deadline.Elapsed);
    }
}
