using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>
/// Tells the leases and gates of this process when they are lost: the records prove it, or this host could not check in for so long that others
/// may take it for gone. Runs only while there are any.
/// </summary>
internal sealed class LossWatch(PoolContext context, Presence presence) : IAsyncDisposable
{
    /// <summary>Changes that come together are looked at together: on a busy pool a look for each would cost more than the claims.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(100);

    /// <summary>How soon to look again at a store that could not be read.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly HashSet<IHeld> _held = [];
    private readonly CancellationTokenSource _stop = new();
    private Task? _loop;
    private Deadline? _turn;
    private CancellationTokenSource? _sooner;
    private int _disposed;

    public void Add(IHeld held)
    {
        lock (_lock)
        {
            _held.Add(held);
            if (_loop is null && !_stop.IsCancellationRequested)
            {
                _loop = Task.Run(RunAsync);
            }

            if (presence.IsShared && _turn is { } turn && Trusted() < turn.Left)
            {
                // It ends before the watch would look up.
                _ = _sooner?.CancelAsync();
            }
        }
    }

    public void Remove(IHeld held)
    {
        lock (_lock)
        {
            _held.Remove(held);
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
            using var sooner = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            using Deadline turn = BeginTurn(sooner);
            try
            {
                // Also before the first look: a lease that is given back at once needs none.
                await Task.Delay(Calm, context.Time, turn.Token).ConfigureAwait(false);
                PoolState state = await context.ReadAsync(turn.Token).ConfigureAwait(false);
                IHeld[] held;
                lock (_lock)
                {
                    held = [.. _held];
                    if (held.Length == 0)
                    {
                        _loop = null;
                        return;
                    }
                }

                Dictionary<string, SlotRecord> records = state.Slots.ToDictionary(record => record.Slot, StringComparer.Ordinal);
                foreach (IHeld lost in held.Where(one => !one.IsProvedBy(state.Pool, records)))
                {
                    Remove(lost);
                    lost.MarkLost();
                }

                await presence.EnsureAsync(turn.Token).ConfigureAwait(false);
                await context.WaitForChangeAsync(state.Stamp, presence.Interval, turn.Token).ConfigureAwait(false);
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
                // An unreadable store proves nothing, until it has been so for too long: look again later.
                PoolLog.WatchFailed(context.Logger, context.Name, e.Message);
                if (LoseWhatCannotBeTrusted())
                {
                    return;
                }

                await Task.Delay(Pause, context.Time, turn.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (_stop.IsCancellationRequested)
                {
                    return;
                }
            }
            finally
            {
                EndTurn(turn);
            }
        }
    }

    /// <summary>One look at the store, over at the latest when a lease or gate can no longer be trusted without it.</summary>
    private Deadline BeginTurn(CancellationTokenSource sooner)
    {
        lock (_lock)
        {
            _sooner = sooner;
            return _turn = new Deadline(context.Time, Trusted(), sooner.Token);
        }
    }

    private void EndTurn(Deadline turn)
    {
        lock (_lock)
        {
            if (_turn == turn)
            {
                (_turn, _sooner) = (null, null);
            }
        }
    }

    /// <summary>Under the lock: for how long all can be trusted without word from the store; infinite with one machine's.</summary>
    private TimeSpan Trusted()
    {
        if (!presence.IsShared)
        {
            return Timeout.InfiniteTimeSpan;
        }

        DateTimeOffset now = context.Now;
        return _held.Select(held => held.TrustedUntil - now).OfType<TimeSpan>().Append(presence.Left).Select(span => span > TimeSpan.Zero ? span : TimeSpan.Zero).Min();
    }

    /// <summary>Without the store: a lease whose time is over, and everything once this host has been silent for too long.</summary>
    /// <returns>Whether none is left to watch.</returns>
    private bool LoseWhatCannotBeTrusted()
    {
        IHeld[] lost;
        bool none;
        lock (_lock)
        {
            lost = [.. _held.Where(held => presence.IsOver || (presence.IsShared ? held.TrustedUntil <= context.Now : held.IsOver))];
            _held.ExceptWith(lost);
            none = _held.Count == 0;
            _loop = none ? null : _loop;
        }

        foreach (IHeld held in lost)
        {
            held.MarkLost();
        }

        return none;
    }
}
