namespace WorktreePool.Runtime;

/// <summary>
/// Lets no process starve that waits for a slot. Processes cannot queue as threads do: whoever releases a slot and claims again would always be faster than
/// one that must first be woken. So the first claim in line of each process stands in line for the baton, one for the whole pool, which ends with its process; and a slot that was freed
/// a moment ago is left to whoever has it. A holder that is stopped delays the others by that moment and no more. Where much changes, only the holder looks at each change; the others
/// look now and then.
/// </summary>
internal sealed class Baton(PoolContext context)
{
    /// <summary>How long a freed slot is left to the claim that waits: enough to be woken.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    /// <summary>How often a process may look without the baton, in the long run.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>How often it may look at once, after a quiet time.</summary>
    private const int MostLooks = 20;

    /// <summary>A name that no slot has.</summary>
    private const string Name = "slot-next-in-line";

    private readonly Lock _pace = new();
    private double _looks = MostLooks;
    private long _lookedAt = context.Time.GetTimestamp();

    /// <summary>Whether a slot was freed so recently that it is left to the baton's holder, if there is one.</summary>
    public bool IsFresh(SlotRecord slot) => slot.State == SlotState.Free && context.Now - slot.UpdatedAt is var age && age >= TimeSpan.Zero && age < Moment;

    /// <summary>Whether some claim has the baton.</summary>
    public async ValueTask<bool> IsTakenAsync(CancellationToken cancellationToken)
    {
        if (await context.Store.TryLockSlotAsync(Name, cancellationToken).ConfigureAwait(false) is not { } free)
        {
            return true;
        }

        await free.DisposeAsync().ConfigureAwait(false);
        return false;
    }

    /// <summary>Counts one look without the baton, and says how long to wait before it.</summary>
    private TimeSpan TakeLook()
    {
        lock (_pace)
        {
            long now = context.Time.GetTimestamp();
            _looks = Math.Clamp(_looks + (context.Time.GetElapsedTime(_lookedAt, now) / LookEvery) - 1, -1, MostLooks);
            _lookedAt = now;
            return _looks >= 0 ? TimeSpan.Zero : LookEvery * -_looks;
        }
    }

    /// <summary>One claim's place in line for the baton, once it wants it.</summary>
    internal sealed class Place(Baton baton, PoolContext context)
    {
        private (Task<IAsyncDisposable> Baton, CancellationTokenSource Leaving)? _coming;

        /// <summary>Whether this claim is the pool's next in line.</summary>
        public bool HasBaton => _coming is { Baton.IsCompletedSuccessfully: true };

        /// <summary>Stands in line, and waits for the baton as long as this process has looked too often of late without it. The place is kept then.</summary>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>Whether to look again at once: time has passed, in which others changed much.</returns>
        public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
        {
            if (_coming is null)
            {
                var leaving = new CancellationTokenSource();
                _coming = (context.Store.WaitForSlotLockAsync(Name, context.Time, leaving.Token).AsTask(), leaving);
            }

            Task<IAsyncDisposable> coming = _coming.Value.Baton;
            try
            {
                TimeSpan left = coming.IsCompleted ? TimeSpan.Zero : baton.TakeLook();
                if (coming.IsCompleted || left > TimeSpan.Zero)
                {
                    await coming.WaitAsync(left, context.Time, cancellationToken).ConfigureAwait(false);
                }

                return left > TimeSpan.Zero;
            }
            catch (TimeoutException)
            {
                return true;
            }
        }

        /// <summary>This claim needs no slot any more, or not any slot: the baton is the next one's.</summary>
        public async ValueTask LeaveAsync()
        {
            if (_coming is var (coming, leaving))
            {
                _coming = null;
                await leaving.CancelAsync().ConfigureAwait(false);
                await ((Task)coming).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                leaving.Dispose();
                if (coming.IsCompletedSuccessfully)
                {
                    await (await coming.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
                }
            }
        }
    }
}
