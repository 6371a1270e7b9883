using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>What concerns the other hosts of a pool; nothing of it happens when the store is one machine's.</summary>
internal sealed class Fleet(PoolContext context, PoolJournal journal) : IFleet
{
    private IFleetStateStore? Store => context.Store as IFleetStateStore;

    /// <inheritdoc/>
    public async ValueTask<FleetSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default)
    {
        IFleetStateStore store = Required();
        PoolRecord pool = (await store.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool;
        return new FleetSnapshot(context.Name, pool.Paused, await store.ReadHostsAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<HostState>> FindCapacityAsync(string? preferredHost = null, CancellationToken cancellationToken = default)
    {
        FleetSnapshot snapshot = await GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return snapshot.Paused is not null ? [] : FleetPolicy.Capacity(snapshot.Hosts, preferredHost);
    }

    /// <inheritdoc/>
    public async ValueTask RemoveHostAsync(string host, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        IFleetStateStore store = Required();
        IReadOnlyList<HostState> hosts = await store.ReadHostsAsync(cancellationToken).ConfigureAwait(false);
        string? why = hosts.FirstOrDefault(known => known.Host == host) switch
        {
            null => $"Pool \"{context.Name}\" has no host {host}; its hosts are {string.Join(", ", hosts.Select(known => known.Host))}.",
            { } known when known.Host == context.Host => $"{host} is this host. Remove it from another one.",
            { IsReachable: true } known => $"{host} is there: it checked in at {known.CheckedInAt:u}. End what runs on it, and repeat when it has been silent for {store.HostTimeout.TotalSeconds:0.###} s.",
            _ => null,
        };
        if (why is null)
        {
            await EndStrandedAsync(store, host, cancellationToken).ConfigureAwait(false);
            why = await store.RemoveHostAsync(host, cancellationToken).ConfigureAwait(false) ? null : $"{host} came back, or another removed it, just now.";
        }

        if (why is not null)
        {
            throw new StateStoreException($"The host was not removed: {why} No slot's record was removed.");
        }
    }

    /// <summary>The keeper's part: checks in, ends the leases of silent hosts.</summary>
    /// <returns>The slots whose leases were ended.</returns>
    public async ValueTask<IReadOnlyList<string>> MaintainAsync(CancellationToken cancellationToken)
    {
        if (Store is not { } store)
        {
            return [];
        }

        await store.CheckInAsync(cancellationToken).ConfigureAwait(false);
        return await EndStrandedAsync(store, null, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<IReadOnlyList<string>> EndStrandedAsync(IFleetStateStore store, string? host, CancellationToken cancellationToken)
    {
        List<string> ended = [];
        foreach (SlotRecord record in (await store.ReadStrandedAsync(cancellationToken).ConfigureAwait(false)).Where(record => host is null || record.Host == host))
        {
            StoreResult result = await store.CompareAndSetAsync(record.Version, FleetPolicy.Strand(record, context.Now), cancellationToken).ConfigureAwait(false);
            if (result.Stored is { } stored)
            {
                ended.Add($"{record.Slot} on {record.Host}");
                string why = $"{record.Host} has not checked in for more than {store.HostTimeout.TotalSeconds:0.###} s; the slot is cleaned when it is back";
                await journal.WriteAsync(journal.About(HistoryEvent.Reclaimed, stored, record.Lease?.Key, why), cancellationToken).ConfigureAwait(false);
            }
        }

        return ended;
    }

    private IFleetStateStore Required() => Store ?? throw new PoolConfigurationException(
        $"Pool \"{context.Name}\" keeps its state on this machine, so there is no fleet to ask. Use a store that several hosts share: UsePostgres.");
}
