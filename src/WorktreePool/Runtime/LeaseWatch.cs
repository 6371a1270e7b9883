using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>
/// Tells this process's lease objects when their lease is lost: their records prove it, or this host could not check in for so long that others
/// may take it for gone. Runs only while there are any.
/// </summary>
internal sealed class LeaseWatch(PoolContext context, Presence presence) : IAsyncDisposable
{
    /// <summary>Changes that come together are looked at together: on a busy pool a look for each would cost more than the claims.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly HashSet<PoolLease> _leases = [];
    private readonly CancellationTokenSource _stop = new();
    private Task? _loop;
    private int _disposed;

    public void Add(PoolLease lease)
    {
        lock (_lock)
        {
            _leases.Add(lease);
            if (_loop is null && !_stop.IsCancellationRequested)
            {
                _loop = Task.Run(RunAsync);
            }
        }
    }

    public void Remove(PoolLease lease)
    {
        lock (_lock)
        {
            _leases.Remove(lease);
        }
    }

    /// <summary>May be called more than once: the services know one pool by several names.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        if (_loop is { } loop)
        {
            await loop.ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            using var turn = new Deadline(context.Time, presence.Left, _stop.Token);
            try
            {
                PoolState state = await context.ReadAsync(turn.Token).ConfigureAwait(false);
                PoolLease[] leases;
                lock (_lock)
                {
                    leases = [.. _leases];
                    if (leases.Length == 0)
                    {
                        _loop = null;
                        return;
                    }
                }

                Dictionary<string, SlotRecord> records = state.Slots.ToDictionary(record => record.Slot, StringComparer.Ordinal);
                foreach (PoolLease lease in leases.Where(lease => !records.TryGetValue(lease.Slot, out SlotRecord? record) || !PoolLease.Proves(record, lease.Token)))
                {
                    Remove(lease);
                    lease.MarkLost();
                }

                await presence.EnsureAsync(turn.Token).ConfigureAwait(false);
                await context.WaitForChangeAsync(state.Stamp, presence.Interval, turn.Token).ConfigureAwait(false);
                await Task.Delay(Calm, context.Time, turn.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (OperationCanceledException)
            {
                if (LoseWhatCannotBeTrusted())
                {
                    return;
                }
            }
            catch (StateStoreException e)
            {
                // An unreadable store proves nothing about the leases, until it has been so for too long: look again later.
                PoolLog.WatchFailed(context.Logger, context.Name, e.Message);
                if (LoseWhatCannotBeTrusted())
                {
                    return;
                }

                try
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), context.Time, _stop.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Without the store: a lease whose time is over, and every lease once this host has been silent for too long.</summary>
    /// <returns>Whether none is left to watch.</returns>
    private bool LoseWhatCannotBeTrusted()
    {
        PoolLease[] lost;
        bool none;
        lock (_lock)
        {
            lost = [.. _leases.Where(lease => presence.IsOver || lease.IsOver)];
            _leases.ExceptWith(lost);
            none = _leases.Count == 0;
            _loop = none ? null : _loop;
        }

        foreach (PoolLease lease in lost)
        {
            lease.MarkLost();
        }

        return none;
    }
}
