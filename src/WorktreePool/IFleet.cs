namespace WorktreePool;

/// <summary>All hosts of a pool whose store several hosts share.</summary>
public interface IFleet
{
    /// <summary>All hosts as they are recorded now.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="PoolConfigurationException">The pool's store is one machine's.</exception>
    ValueTask<FleetSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The hosts on which a claim would find a free slot now, best first: the preferred host, then the one with the most free slots that are
    /// ready at the pool's base, then with the most free slots. A hint, not a reservation: only a claim on that host takes a slot.
    /// </summary>
    /// <param name="preferredHost">Where the work would rather be, for example where its caches are warm; null: anywhere.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>None when no reachable host has a free slot, or the pool is paused.</returns>
    /// <exception cref="PoolConfigurationException">The pool's store is one machine's.</exception>
    ValueTask<IReadOnlyList<HostState>> FindCapacityAsync(string? preferredHost = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes a host that is gone for good: its leases end, as those of any silent host do, and it and its slots are shown no more. What lies on its disks, and its
    /// history, stays. Should it come back, its pool is refused there until it is made anew.
    /// </summary>
    /// <param name="host">The host's name, as in the snapshot.</param>
    /// <param name="cancellationToken">Ends the work; it can be repeated.</param>
    /// <exception cref="StateStoreException">The host is this one, is not known, or has checked in lately; nothing was changed.</exception>
    /// <exception cref="PoolConfigurationException">The pool's store is one machine's.</exception>
    ValueTask RemoveHostAsync(string host, CancellationToken cancellationToken = default);
}
