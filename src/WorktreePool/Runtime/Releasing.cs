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
        using var deadline = new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken);
        BegunCleaning? begun = null;
        try
        {
            while (true)
            {
                PoolState state = await context.Store.ReadAsync(deadline.Token).ConfigureAwait(false);
                SlotRecord record = state.Slots.FirstOrDefault(slot => slot.State == SlotState.Leased && find(slot)) ?? throw new LeaseLostException(
                    $"{who} is not leased to this holder (any more): it was released before, or reclaimed because its owner was gone or its time ran out. Nothing was touched. See worktree-pool history, and worktree-pool rescue list for work that was kept.");
                begun = await cleaning.TryBeginAsync(record, mode ?? context.Options.ReleaseMode, deadline).ConfigureAwait(false);
                if (begun is not null)
                {
                    return Report(record, await cleaning.EndAsync(begun, HistoryEvent.Released, deadline).ConfigureAwait(false), deadline);
                }

                await context.WaitForChangeAsync(state.Stamp, PassingLock, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            string limit = $"ReleaseTimeout ({context.Options.ReleaseTimeout.TotalSeconds:0.###} s)";
            throw begun is null
                ? new ReleaseIncompleteException(
                    $"{who} could not be released within {limit}: another process kept the pool's state or the slot locked all the time. Nothing was changed, and the lease is still held: release it again. A process that hangs or is stopped may hold the lock; see worktree-pool doctor.")
                { HasBegun = false }
                : new ReleaseIncompleteException(
                    $"{begun.Record.Slot} could not be cleaned within {limit}. It was left as it is and the next claim or keeper pass heals it; what was in it is still rescued unless it was to be discarded. Raise ReleaseTimeout if this happens often.");
        }
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
