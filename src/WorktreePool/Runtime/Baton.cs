namespace WorktreePool.Runtime;

/// <summary>
/// Lets no process starve that waits for a slot. Processes cannot queue as threads do: whoever releases a slot and claims again would always be faster than
/// one that must first be woken. So a waiting claim holds the baton, one for the whole pool, which ends with its process; and a slot that was freed a
/// moment ago is left to whoever holds it. Only the holder is woken by what changes; the first in line of the other processes waits for the baton, and looks for
/// itself now and then: a holder that is stopped delays the others by such a moment and no more.
/// </summary>
internal sealed class Baton(PoolContext context)
{
    /// <summary>How long a freed slot is left to the claim that waits: enough to be woken.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    /// <summary>How often a claim that waits for the baton asks for it.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(3);

    /// <summary>A name that no slot has.</summary>
    private const string Name = "slot-next-in-line";

    /// <summary>Takes the baton, unless another claim has it.</summary>
    public ValueTask<IAsyncDisposable?> TryTakeAsync(CancellationToken cancellationToken) => context.Store.TryLockSlotAsync(Name, cancellationToken);

    /// <summary>Waits for the baton, but no longer than a freed slot is left to its holder.</summary>
    /// <param name="atMost">How long, should that be shorter.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when another claim has it still.</returns>
    public async ValueTask<IAsyncDisposable?> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        long began = context.Time.GetTimestamp();
        TimeSpan limit = atMost < Moment ? atMost : Moment;
        IAsyncDisposable? baton;
        while ((baton = await TryTakeAsync(cancellationToken).ConfigureAwait(false)) is null && context.Time.GetElapsedTime(began) < limit)
        {
            await Task.Delay(Interval, context.Time, cancellationToken).ConfigureAwait(false);
        }

        return baton;
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
