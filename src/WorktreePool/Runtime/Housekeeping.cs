using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>Cleans one slot that nobody holds, and gives it up when a claim asks for it: a claim never waits for the keeper.</summary>
internal sealed class Housekeeping(PoolContext context, SlotCleaning cleaning, SlotSetUp setUp)
{
    /// <summary>Makes the slot ready.</summary>
    /// <param name="record">Its record as read.</param>
    /// <param name="what">What to call it in the history.</param>
    /// <param name="cancellationToken">Ends the work; the slot stays healable.</param>
    public async ValueTask<KeptSlot> RunAsync(SlotRecord record, HistoryEvent what, CancellationToken cancellationToken)
    {
        using var asked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var deadline = new Deadline(context.Time, context.Options.ReleaseTimeout + setUp.Budget, asked.Token);
        BegunCleaning? begun = null;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task? watch = null;
        try
        {
            begun = await cleaning.TryBeginAsync(record, null, deadline).ConfigureAwait(false);
            if (begun is null)
            {
                return KeptSlot.Nothing;
            }

            watch = WatchAsync(begun.Record, asked, over.Token);
            return new KeptSlot(await cleaning.EndAsync(begun, what, deadline).ConfigureAwait(false), false);
        }
        catch (OperationCanceledException) when (begun is not null && asked.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            await GiveUpAsync(begun.Record, cancellationToken).ConfigureAwait(false);
            return new KeptSlot(null, true);
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            // Left half done under a free lock: the next pass or claim goes on with it.
            return KeptSlot.Nothing;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await (watch ?? Task.CompletedTask).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for a claim that asks for the slot.</summary>
    private async Task WatchAsync(SlotRecord begun, CancellationTokenSource asked, CancellationToken over)
    {
        try
        {
            while (true)
            {
                PoolState state = await context.ReadAsync(over).ConfigureAwait(false);
                if (Find(state, begun) is { Yield: SlotYield.Asked })
                {
                    await asked.CancelAsync().ConfigureAwait(false);
                    return;
                }

                await context.Store.WaitForChangeAsync(state.Stamp, over).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or StateStoreException)
        {
            // Over; or the store fails, and the work itself will learn of it.
        }
    }

    /// <summary>The working lock is free by now; this says so to whoever waits.</summary>
    private async ValueTask GiveUpAsync(SlotRecord begun, CancellationToken cancellationToken)
    {
        if (Find(await context.ReadAsync(cancellationToken).ConfigureAwait(false), begun) is { State: SlotState.Cleaning } left)
        {
            await context.Store.CompareAndSetAsync(left.Version, SlotLifecycle.GiveUp(left, context.Now), cancellationToken).ConfigureAwait(false);
        }
    }

    private static SlotRecord? Find(PoolState state, SlotRecord begun) =>
        state.Slots.FirstOrDefault(record => record.Slot == begun.Slot && record.Epoch == begun.Epoch);
}

/// <summary>What became of a slot that was to be cleaned.</summary>
/// <param name="Cleaned">How it ended; null when it did not: somebody else works on it, its time was over, or it was given up.</param>
/// <param name="Yielded">Whether it was given up for a claim.</param>
internal sealed record KeptSlot(CleanedSlot? Cleaned, bool Yielded)
{
    public static readonly KeptSlot Nothing = new(null, false);
}
