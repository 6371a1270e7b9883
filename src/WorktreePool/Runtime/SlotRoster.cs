using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>Which slots the pool has: makes the missing records, removes superfluous slots, and refuses places that belong to others.</summary>
internal sealed class SlotRoster(PoolContext context, BaseResolver bases, PoolJournal journal)
{
    private bool _complete;

    private string SlotsDirectory => context.Options.SlotsDirectory!;

    /// <summary>Makes sure that every configured slot has a record. Cheap after the first time.</summary>
    public async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        if (_complete)
        {
            return;
        }

        PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (context.Git.Isolated is { } isolated)
        {
            if (state.Slots.Count == 0)
            {
                // Before anything is made.
                state = await CheckPlacesAsync(state, cancellationToken).ConfigureAwait(false);
            }

            await isolated.EstablishAsync(cancellationToken).ConfigureAwait(false);
        }

        if (state.Slots.Count == 0)
        {
            await context.Git.InspectAsync(cancellationToken).ConfigureAwait(false);
            string baseRef = await bases.GetBaseRefAsync(cancellationToken).ConfigureAwait(false);
            string commit = await context.Git.ResolveAsync(baseRef, cancellationToken).ConfigureAwait(false)
                ?? throw new BaseNotFoundException($"The base \"{baseRef}\" names no commit in {context.RepositoryName}. No pool was made. Fetch it, or set Base to a ref that exists.");
            state = await CheckPlacesAsync(state, cancellationToken).ConfigureAwait(false);

            if (context.Git.Isolated is null)
            {
                // The repository as it is when the pool is made, or when this host joins it, is what its user trusts.
                await context.Git.TrustAsync(cancellationToken).ConfigureAwait(false);
            }

            if (state.Pool.Version == 0)
            {
                await context.Store.CompareAndSetPoolAsync(0, new PoolRecord { Base = new BaseRecord(baseRef, commit, context.Now) }, cancellationToken).ConfigureAwait(false);
            }
        }
        else if (Missing(state).Count > 0)
        {
            // A base that names nothing is refused before the pool grows.
            await bases.GetBaseRefAsync(cancellationToken).ConfigureAwait(false);
            state = await CheckPlacesAsync(state, cancellationToken).ConfigureAwait(false);
        }

        foreach (string slot in Missing(state))
        {
            // A lost race is fine: another process has just made the same record.
            await context.Store.CompareAndSetAsync(0, New(slot), cancellationToken).ConfigureAwait(false);
        }

        _complete = true;
    }

    /// <summary>Refuses places that are others'. What another process has made of this very pool since the state was read is not: records come before directories.</summary>
    /// <returns>The state, as it is by now.</returns>
    private async ValueTask<PoolState> CheckPlacesAsync(PoolState state, CancellationToken cancellationToken)
    {
        try
        {
            SlotPlaces.Check(SlotsDirectory, Missing(state), isNewPool: state.Slots.Count == 0);
            return state;
        }
        catch (PoolConfigurationException)
        {
            PoolState now = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (Missing(now).Count == Missing(state).Count)
            {
                throw;
            }

            SlotPlaces.Check(SlotsDirectory, Missing(now), isNewPool: now.Slots.Count == 0);
            return now;
        }
    }

    /// <summary>Removes slots beyond the configured number that nobody holds.</summary>
    public async ValueTask ShrinkAsync(IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
        List<SlotRecord> superfluous = [.. state.Slots.Where(record => Names.Number(record.Slot) >= context.Options.Slots)];
        foreach ((int done, SlotRecord record) in superfluous.Index())
        {
            progress?.Report(new PoolProgress(PoolPhase.Removing, done, superfluous.Count, record.Slot));
            await TryRemoveAsync(record, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask TryRemoveAsync(SlotRecord record, CancellationToken cancellationToken)
    {
        if (record.State == SlotState.Leased && !SlotLifecycle.IsDead(record, context.LivenessOf(record), context.Now))
        {
            return;
        }

        // A claim or a release at work holds the lock; without it, preparing and cleaning are crashes.
        IAsyncDisposable? working = await context.Store.TryLockSlotAsync(record.Slot, cancellationToken).ConfigureAwait(false);
        if (working is null)
        {
            return;
        }

        await using (working.ConfigureAwait(false))
        {
            SlotRecord intent = SlotLifecycle.BeginClean(record, null, context.Processes.Current, context.Now);
            StoreResult begun = await context.Store.CompareAndSetAsync(record.Version, intent, cancellationToken).ConfigureAwait(false);
            if (begun.Stored is not { } stored)
            {
                return;
            }

            if (record.State is SlotState.Preparing or SlotState.Cleaning)
            {
                await context.Git.EvictAsync(record.Place, cancellationToken).ConfigureAwait(false);
            }

            if (!stored.WorkSaved)
            {
                var request = new RescueRequest(record.Lease?.Key, stored.Epoch, stored.EndedBranch, record.Commit ?? "HEAD", "slot removed", context.Now);
                await context.Git.RescueAsync(record.Place, request, cancellationToken).ConfigureAwait(false);
            }

            await context.Git.RemoveAsync(record.Place, cancellationToken).ConfigureAwait(false);
            if (stored.EndedBranch is { } branch)
            {
                await context.Git.DeleteBranchAsync(branch, cancellationToken).ConfigureAwait(false);
            }

            await context.Store.RemoveAsync(record.Slot, stored.Version, cancellationToken).ConfigureAwait(false);
            await journal.WriteAsync(journal.About(HistoryEvent.Removed, stored, null), cancellationToken).ConfigureAwait(false);
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
