using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>Tells this process's lease objects when their lease is lost. Runs only while there are any.</summary>
internal sealed class LeaseWatch(PoolContext context) : IAsyncDisposable
{
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
            try
            {
                PoolState state = await context.Store.ReadAsync(_stop.Token).ConfigureAwait(false);
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

                foreach (PoolLease lease in leases.Where(lease => !state.Slots.Any(record => PoolLease.Proves(record, lease.Token))))
                {
                    Remove(lease);
                    lease.MarkLost();
                }

                await context.Store.WaitForChangeAsync(state.Stamp, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (StateStoreException e)
            {
                // An unreadable store proves nothing about the leases: look again later.
                PoolLog.WatchFailed(context.Logger, context.Name, e.Message);
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
}
