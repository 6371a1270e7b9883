namespace WorktreePool.Runtime;

/// <summary>
/// Releases that could not even be recorded: the state could not be written then. Their leases have a living owner, so nobody reclaims them;
/// this process tries again until each has begun, or until it ends itself and the leases are reclaimed.
/// </summary>
internal sealed class PendingReleases(PoolContext context) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<PoolLease, Task> _tries = [];
    private readonly CancellationTokenSource _stop = new();
    private bool _disposed;

    /// <summary>Tries again, once a second, until <paramref name="tryAgain"/> says that the lease has ended.</summary>
    public void Add(PoolLease lease, Func<CancellationToken, Task<bool>> tryAgain)
    {
        lock (_lock)
        {
            if (!_disposed && !_tries.ContainsKey(lease))
            {
                _tries.Add(lease, Task.Run(() => RepeatAsync(lease, tryAgain)));
            }
        }
    }

    /// <summary>Stops trying. May be called more than once: the services know one pool by several names.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] tries;
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            tries = [.. _tries.Values];
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(tries).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RepeatAsync(PoolLease lease, Func<CancellationToken, Task<bool>> tryAgain)
    {
        try
        {
            do
            {
                await Task.Delay(Pause, context.Time, _stop.Token).ConfigureAwait(false);
            }
            while (!await tryAgain(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The pool is closed: its leases end with their owner.
        }

        lock (_lock)
        {
            _tries.Remove(lease);
        }
    }
}
