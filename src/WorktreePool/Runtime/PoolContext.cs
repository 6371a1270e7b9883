using Microsoft.Extensions.Logging;

namespace WorktreePool.Runtime;

/// <summary>What every part of one pool's runtime works with.</summary>
/// <param name="Name">The pool's name.</param>
/// <param name="Settings">The validated settings, paths absolute, as they are now.</param>
/// <param name="Store">The state.</param>
/// <param name="Git">The repository.</param>
/// <param name="Processes">The machine's processes.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where events are logged; never a token.</param>
internal sealed record PoolContext(
    string Name, Live<WorktreePoolOptions> Settings, ISlotStateStore Store, IGitBackend Git, IProcessTable Processes, TimeProvider Time, ILogger Logger)
{
    private readonly OwnRecords _own = new();

    /// <summary>The settings as they are now: those of times, counts and policies may change between two looks.</summary>
    public WorktreePoolOptions Options => Settings.Current;

    /// <summary>How the keeper works, when its caller does not say.</summary>
    public required Live<KeeperOptions> KeeperSettings { get; init; }

    /// <summary>Runs set-up steps; null for a pool that has none and copies nothing.</summary>
    public ISetUpRunner? SetUp { get; init; }

    /// <summary>This host's name, as in records.</summary>
    public string Host => Processes.Current.Host;

    /// <summary>What the pool is over, for messages.</summary>
    public string RepositoryName => Options.RepositoryPath.Length > 0 ? Options.RepositoryPath : Options.Remote ?? "";

    /// <summary>Now, UTC, by the clock that all who share the store agree on.</summary>
    public DateTimeOffset Now => (Store.Clock ?? Time).GetUtcNow();

    /// <summary>Now by this machine's own clock; null when the store has a clock that counts, or the system cannot tell one start of the machine from another.</summary>
    public BootTime? Uptime => Store.Clock is null && Processes.Current.BootId is { Length: > 0 } boot ? new BootTime(boot, Time.GetElapsedTime(0)) : null;

    /// <summary>Reads the pool, with the ends of leases as this machine's clocks show them now.</summary>
    /// <exception cref="PoolConfigurationException">The records are those of slots elsewhere: the pool's directory was copied or moved, or is another machine's.</exception>
    public async ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken)
    {
        PoolState state = await Store.ReadAsync(cancellationToken).ConfigureAwait(false);
        _own.Require(state.Slots, Options, Store is IFleetStateStore ? null : Host);
        if (!state.Slots.Any(record => record.Lease is { ExpiresAtBootTime: not null }))
        {
            // Read many times for each claim, and mostly so.
            return state;
        }

        (DateTimeOffset now, BootTime? uptime) = (Now, Uptime);
        return state with { Slots = [.. state.Slots.Select(record => Lifecycle.SlotLifecycle.AsOf(record, now, uptime))] };
    }

    /// <summary>Whether the owner of a record's lease lives.</summary>
    public Liveness LivenessOf(SlotRecord record) =>
        record.Lease?.Owner.Process is { } process ? Processes.GetLiveness(process) : Liveness.Unknown;

    /// <summary>
    /// Stores a record of a slot whose working lock this process has. Under the lock nobody else changes it, but for a claim that asks the keeper for
    /// the slot: then the change is stored all the same, and the wish with it.
    /// </summary>
    /// <param name="next">The record.</param>
    /// <param name="entry">For the history, with it; null: nothing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A conflict when somebody else changed it.</returns>
    public async ValueTask<StoreResult> StoreOwnAsync(SlotRecord next, HistoryEntry? entry, CancellationToken cancellationToken)
    {
        StoreResult result = await StoreAsync(next, entry, cancellationToken).ConfigureAwait(false);
        if (result.Applied)
        {
            return result;
        }

        SlotRecord? now = (await Store.ReadAsync(cancellationToken).ConfigureAwait(false)).Slots.FirstOrDefault(record => record.Slot == next.Slot);
        if (now is not { Yield: SlotYield.Asked } || now.Version != next.Version + 1)
        {
            return result;
        }

        SlotRecord again = next with { Version = now.Version, Yield = next.Yield is null ? null : SlotYield.Asked };
        return await StoreAsync(again, entry, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask<StoreResult> StoreAsync(SlotRecord next, HistoryEntry? entry, CancellationToken cancellationToken) => entry is null
        ? Store.CompareAndSetAsync(next.Version, next, cancellationToken)
        : Store.CompareAndSetAsync(next.Version, next, entry, cancellationToken);

    /// <summary>Waits until the store is no longer as it was, or <paramref name="atMost"/> has passed.</summary>
    /// <param name="stamp">How it was.</param>
    /// <param name="atMost">How long to wait.</param>
    /// <param name="cancellationToken">Ends the wait with an <see cref="OperationCanceledException"/>.</param>
    public async ValueTask WaitForChangeAsync(string stamp, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var moment = new Deadline(Time, atMost, cancellationToken);
        try
        {
            await Store.WaitForChangeAsync(stamp, moment.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (moment.HasPassed)
        {
        }
    }
}
