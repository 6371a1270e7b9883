using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>Wakes waiters when the database notifies of a change. Runs from the first wait on, and connects again by itself; meanwhile waiters poll.</summary>
internal sealed class ChangeListener(Database database, IReadOnlyList<string> channels, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _changed = NewSignal();
    private Task? _loop;

    /// <summary>Completes at the next change, and when the listener has connected. Take it before reading the state, so that no change is missed.</summary>
    public Task Next()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            _loop ??= Task.Run(RunAsync);
            return _changed.Task;
        }
    }

    /// <summary>Waiters go on, and find it disposed.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? loop;
        lock (_lock)
        {
            _stop.Cancel();
            loop = _loop;
        }

        if (loop is not null)
        {
            await loop.ConfigureAwait(false);
        }

        Signal();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                DatabaseSession session = await database.OpenSessionAsync(_stop.Token).ConfigureAwait(false);
                await using (session.ConfigureAwait(false))
                {
                    session.Connection.Notification += (_, _) => Signal();
                    using (var listen = new NpgsqlCommand(string.Join(';', channels.Select(channel => $"LISTEN {channel}")), session.Connection))
                    {
                        await listen.ExecuteNonQueryAsync(_stop.Token).ConfigureAwait(false);
                    }

                    // What changed while nobody listened was not told.
                    Signal();
                    while (true)
                    {
                        await session.Connection.WaitAsync(_stop.Token).ConfigureAwait(false);
                    }
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or StateStoreException or OperationCanceledException or InvalidOperationException || DatabaseFault.IsPassing(e))
            {
                await Task.Delay(Pause, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Signal()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            changed = _changed;
            _changed = NewSignal();
        }

        changed.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
