using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>Which slots the pool has: makes the missing records, removes superfluous slots, and refuses places that belong to others.</summary>
internal sealed class SlotRoster(PoolContext context, BaseResolver bases, PoolJournal journal)
{
    private bool _complete;

    private string SlotsDirectory => context.Options.SlotsDirectory ?? Path.Combine(context.Options.PoolDirectory, "slots");

    /// <summary>Makes sure that every configured slot has a record. Cheap after the first time.</summary>
    public async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        if (_complete)
        {
            return;
        }

        PoolState state = await context.Store.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (state.Pool.Version == 0)
        {
            await context.Git.InspectAsync(cancellationToken).ConfigureAwait(false);
            string baseRef = await bases.GetBaseRefAsync(cancellationToken).ConfigureAwait(false);
            string commit = await context.Git.ResolveAsync(baseRef, cancellationToken).ConfigureAwait(false)
                ?? throw new BaseNotFoundException($"The base \"{baseRef}\" names no commit in {context.Options.RepositoryPath}. No pool was made. Fetch it, or set Base to a ref that exists.");
            SlotPlaces.Check(SlotsDirectory, Missing(state), isNewPool: state.Slots.Count == 0);

            // The repository as it is when the pool is made is what its user trusts.
            await context.Git.TrustAsync(cancellationToken).ConfigureAwait(false);
            await context.Store.CompareAndSetPoolAsync(0, new PoolRecord { Base = new BaseRecord(baseRef, commit, context.Now) }, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            SlotPlaces.Check(SlotsDirectory, Missing(state), isNewPool: false);
        }

        foreach (string slot in Missing(state))
        {
            // A lost race is fine: another process has just made the same record.
            await context.Store.CompareAndSetAsync(0, New(slot), cancellationToken).ConfigureAwait(false);
        }

        _complete = true;
    }

    /// <summary>Removes slots beyond the configured number that nobody holds.</summary>
    /// <returns>Names of those that had to stay because they are held.</returns>
    public async ValueTask<IReadOnlyList<string>> ShrinkAsync(CancellationToken cancellationToken)
    {
        List<string> held = [];
        PoolState state = await context.Store.ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach (SlotRecord record in state.Slots.Where(record => Names.Number(record.Slot) >= context.Options.Slots))
        {
            if (!await TryRemoveAsync(record, cancellationToken).ConfigureAwait(false))
            {
                held.Add(record.Slot);
            }
        }

        return held;
    }

    private async ValueTask<bool> TryRemoveAsync(SlotRecord record, CancellationToken cancellationToken)
    {
        if (record.State is SlotState.Leased or SlotState.Preparing)
        {
            return false;
        }

        IAsyncDisposable? working = await context.Store.TryLockSlotAsync(record.Slot, cancellationToken).ConfigureAwait(false);
        if (working is null)
        {
            return false;
        }

        await using (working.ConfigureAwait(false))
        {
            SlotRecord intent = SlotLifecycle.BeginClean(record, null, context.Processes.Current, context.Now);
            StoreResult begun = await context.Store.CompareAndSetAsync(record.Version, intent, cancellationToken).ConfigureAwait(false);
            if (begun.Stored is not { } stored)
            {
                return false;
            }

            if (record.Admin is not null)
            {
                var request = new RescueRequest(record.Lease?.Key, stored.Epoch, stored.EndedBranch, record.Commit ?? "HEAD", "slot removed", context.Now);
                await context.Git.RescueAsync(record.Place, request, cancellationToken).ConfigureAwait(false);
            }

            await context.Git.RemoveAsync(record.Place, cancellationToken).ConfigureAwait(false);
            await context.Store.RemoveAsync(record.Slot, stored.Version, cancellationToken).ConfigureAwait(false);
            await journal.WriteAsync(journal.About(HistoryEvent.Removed, stored, null), cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    private List<string> Missing(PoolState state) =>
        [.. Enumerable.Range(0, context.Options.Slots).Select(Names.Slot).Where(slot => state.Slots.All(record => record.Slot != slot))];

    private SlotRecord New(string slot) => new()
    {
        Slot = slot,
        Host = context.Host,
        Path = Path.Combine(SlotsDirectory, slot),
        State = SlotState.Absent,
        UpdatedAt = context.Now,
    };
}
