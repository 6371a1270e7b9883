using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>Releases a lease: refuses whoever does not hold it, then cleans the slot.</summary>
internal sealed class Releasing(PoolContext context, SlotCleaning cleaning)
{
    /// <summary>Releases.</summary>
    /// <param name="find">Finds the leased record that the caller holds; null when it holds none.</param>
    /// <param name="who">The key or slot, for messages.</param>
    /// <param name="mode">What to do with work; null: the pool's setting.</param>
    /// <param name="cancellationToken">Ends the cleaning.</param>
    public async ValueTask<ReleaseReport> RunAsync(Func<SlotRecord, bool> find, string who, ReleaseMode? mode, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(context.Time, context.Options.ReleaseTimeout, cancellationToken);
        SlotRecord? begun = null;
        try
        {
            while (true)
            {
                PoolState state = await context.Store.ReadAsync(deadline.Token).ConfigureAwait(false);
                SlotRecord record = state.Slots.FirstOrDefault(slot => slot.State == SlotState.Leased && find(slot)) ?? throw new LeaseLostException(
                    $"{who} is not leased to this holder (any more): it was released before, or reclaimed because its owner was gone or its time ran out. Nothing was touched. See worktree-pool history, and worktree-pool rescue list for work that was kept.");
                begun = record;
                if (await cleaning.TryRunAsync(record, mode ?? context.Options.ReleaseMode, HistoryEvent.Released, deadline).ConfigureAwait(false) is { } cleaned)
                {
                    return Report(record, cleaned, deadline);
                }

                // Somebody holds the working lock for a moment, or the record has just changed.
                await WaitShortlyAsync(state.Stamp, deadline).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            throw new ReleaseIncompleteException(
                $"{begun?.Slot ?? who} could not be cleaned within ReleaseTimeout ({context.Options.ReleaseTimeout.TotalSeconds:0.###} s). It was left as it is and the next claim or keeper pass heals it; what was in it is still rescued unless it was to be discarded. Raise ReleaseTimeout if this happens often.");
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

    private async ValueTask WaitShortlyAsync(string stamp, Deadline deadline)
    {
        using var moment = new Deadline(context.Time, TimeSpan.FromMilliseconds(50), deadline.Token);
        try
        {
            await context.Store.WaitForChangeAsync(stamp, moment.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (moment.HasPassed)
        {
        }
    }
}
