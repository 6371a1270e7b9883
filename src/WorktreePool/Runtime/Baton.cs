namespace WorktreePool.Runtime;

/// <summary>
/// Lets no process starve that waits for a slot. Processes cannot queue as threads do: whoever releases a slot and claims again would always be faster than
/// one that must first be woken. So a waiting claim holds the baton, one for the whole pool, which ends with its process; and a slot that was freed a
/// moment ago is left to whoever holds it. A holder that is stopped delays the others by that moment and no more. Where much changes, only the
/// holder looks at each change; the first in line of the other processes looks now and then.
/// </summary>
internal sealed class Baton(PoolContext context)
{
    /// <summary>How long a freed slot is left to the claim that waits: enough to be woken.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    /// <summary>How often a claim that waits for the baton asks for it.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    /// <summary>How often a process may look without the baton, in the long run.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    /// <summary>How often it may look at once, after a quiet time.</summary>
    private const int MostLooks = 20;

    /// <summary>A name that no slot has.</summary>
    private const string Name = "slot-next-in-line";

    private readonly Lock _pace = new();
    private double _looks = MostLooks;
    private long _lookedAt = context.Time.GetTimestamp();

    /// <summary>Takes the baton, unless another claim has it.</summary>
    public ValueTask<IAsyncDisposable?> TryTakeAsync(CancellationToken cancellationToken) => context.Store.TryLockSlotAsync(Name, cancellationToken);

    /// <summary>Waits for the baton as long as this process has looked too often of late without it.</summary>
    /// <returns>Null when another claim has it still.</returns>
    public async ValueTask<IAsyncDisposable?> PaceAsync(CancellationToken cancellationToken)
    {
        IAsyncDisposable? baton = null;
        for (TimeSpan left = TakeLook(); left > TimeSpan.Zero && baton is null; left -= Interval)
        {
            await Task.Delay(left < Interval ? left : Interval, context.Time, cancellationToken).ConfigureAwait(false);
            baton = await TryTakeAsync(cancellationToken).ConfigureAwait(false);
        }

        return baton;
    }

    /// <summary>Counts one look, and says how long to wait before it.</summary>
    private TimeSpan TakeLook()
    {
        lock (_pace)
        {
            long now = context.Time.GetTimestamp();
            _looks = Math.Min(MostLooks, _looks + (context.Time.GetElapsedTime(_lookedAt, now) / LookEvery));
            _lookedAt = now;
            _looks--;
            return _looks >= 0 ? TimeSpan.Zero : LookEvery * -_looks;
        }
    }

    /// <summary>Whether a slot was freed so recently that it is left to the baton's holder, if there is one.</summary>
    public bool IsFresh(SlotRecord slot) => slot.State == SlotState.Free && context.Now - slot.UpdatedAt is var age && age >= TimeSpan.Zero && age < Moment;

    /// <summary>Whether some claim has the baton.</summary>
    public async ValueTask<bool> IsTakenAsync(CancellationToken cancellationToken)
    {
        if (await TryTakeAsync(cancellationToken).ConfigureAwait(false) is not { } free)
        {
            return true;
        }

        await free.DisposeAsync().ConfigureAwait(false);
        return false;
    }
}
