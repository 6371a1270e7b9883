namespace WorktreePool;

/// <summary>A store that several hosts share: each claims its own slots, keys are unique over all of them.</summary>
public interface IFleetStateStore : ISlotStateStore
{
    /// <summary>After how long without a check-in a host counts as silent, and its leases may be ended by others.</summary>
    TimeSpan HostTimeout { get; }

    /// <summary>Says that this host lives. A process that holds a lease does so as long as it can; by the last success it knows how long its lease is safe.</summary>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="StateStoreException">The store cannot be reached; or another machine goes by this host's name, and nothing was changed.</exception>
    ValueTask CheckInAsync(CancellationToken cancellationToken);

    /// <summary>All hosts with their capacity, by name.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<IReadOnlyList<HostState>> ReadHostsAsync(CancellationToken cancellationToken);

    /// <summary>The records with a lease on other hosts that are silent.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<IReadOnlyList<SlotRecord>> ReadStrandedAsync(CancellationToken cancellationToken);

    /// <summary>Removes a silent host with the records of its slots, in one step. Its history stays.</summary>
    /// <param name="host">The host.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False when the host is not silent, or not known: then nothing was changed.</returns>
    ValueTask<bool> RemoveHostAsync(string host, CancellationToken cancellationToken);
}
