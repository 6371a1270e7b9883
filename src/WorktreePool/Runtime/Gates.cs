using System.Globalization;

namespace WorktreePool.Runtime;

/// <summary>
/// Gates of the pool: whoever is inside of one is there alone, over all processes and hosts, until it leaves or is dead. Recorded with the pool, like leases with
/// the slots, so that whoever is refused is told by whom.
/// </summary>
internal sealed class Gates(PoolContext context)
{
    /// <summary>How long leaving may take; whoever cannot leave is out when this process is, or enters anew.</summary>
    private static readonly TimeSpan Leaving = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();

    /// <summary>Entries of this pool object that could not be taken back.</summary>
    private readonly HashSet<string> _left = new(StringComparer.Ordinal);

    /// <summary>Enters if nobody is inside.</summary>
    /// <param name="name">The gate's full name.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>This entry; or who is inside, which may be this process itself.</returns>
    public async ValueTask<GateTry> TryEnterAsync(string name, CancellationToken cancellationToken)
    {
        var entry = new GateRecord(Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture), context.Processes.Current, context.Now);
        while (true)
        {
            PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (Find(state.Pool, name) is { } inside && !await IsGoneAsync(inside, cancellationToken).ConfigureAwait(false))
            {
                return new GateTry(null, inside, state);
            }

            if (await SetAsync(state.Pool, name, entry, cancellationToken).ConfigureAwait(false))
            {
                return new GateTry(entry, null, state);
            }
        }
    }

    /// <summary>Leaves. What fails is no matter: the entry ends with this process, and this pool object knows that it has left.</summary>
    public async ValueTask LeaveAsync(string name, GateRecord entry)
    {
        lock (_lock)
        {
            _left.Add(entry.Id);
        }

        using var deadline = new Deadline(context.Time, Leaving, CancellationToken.None);
        try
        {
            PoolRecord pool;
            do
            {
                pool = (await context.ReadAsync(deadline.Token).ConfigureAwait(false)).Pool;
            }
            while (Find(pool, name)?.Id == entry.Id && !await SetAsync(pool, name, null, deadline.Token).ConfigureAwait(false));
            lock (_lock)
            {
                _left.Remove(entry.Id);
            }
        }
        catch (Exception e) when (e is StateStoreException or OperationCanceledException or ObjectDisposedException)
        {
            Diagnostics.PoolLog.GateLeftOpen(context.Logger, context.Name, name, e.Message);
        }
    }

    /// <summary>Who is recorded inside.</summary>
    public static GateRecord? Find(PoolRecord pool, string name) => pool.Gates?.GetValueOrDefault(name);

    private ValueTask<bool> SetAsync(PoolRecord pool, string name, GateRecord? entry, CancellationToken cancellationToken)
    {
        Dictionary<string, GateRecord> gates = pool.Gates is null ? new(StringComparer.Ordinal) : new(pool.Gates, StringComparer.Ordinal);
        if (entry is null)
        {
            gates.Remove(name);
        }
        else
        {
            gates[name] = entry;
        }

        return context.Store.CompareAndSetPoolAsync(pool.Version, pool with { Gates = gates.Count == 0 ? null : gates }, cancellationToken);
    }

    /// <summary>Whether who is recorded inside is provably not there any more: its process is dead, or its host is silent.</summary>
    private async ValueTask<bool> IsGoneAsync(GateRecord inside, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_left.Contains(inside.Id))
            {
                return true;
            }
        }

        Liveness liveness = context.Processes.GetLiveness(inside.Holder);
        return liveness == Liveness.Dead
            || (liveness == Liveness.Unknown && context.Store is IFleetStateStore fleet && inside.Holder.Host != context.Host
                && (await fleet.ReadHostsAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(host => host.Host == inside.Holder.Host) is { IsReachable: false });
    }
}

/// <summary>How an attempt to enter a gate ended.</summary>
/// <param name="Entry">The entry; null when somebody is inside.</param>
/// <param name="Inside">Who is inside; null when entered.</param>
/// <param name="State">The pool as it was.</param>
internal sealed record GateTry(GateRecord? Entry, GateRecord? Inside, PoolState State);
