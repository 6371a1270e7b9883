namespace WorktreePool.FileState;

/// <summary>Who works on a slot, and who stands in the way.</summary>
internal sealed partial class FileSlotStateStore
{
    /// <summary>How often a lock is tried that is waited for, where one cannot stand in line.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(5);

    public async ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken)
    {
        await RequireLocksAsync(slot, cancellationToken).ConfigureAwait(false);
        try
        {
            return _slotLocks.TryTake(slot);
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            throw Unwritable(e);
        }
    }

    public async ValueTask<IAsyncDisposable> WaitForSlotLockAsync(string slot, TimeProvider time, CancellationToken cancellationToken)
    {
        await RequireLocksAsync(slot, cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                if (await _slotLocks.TryTakeInTurnAsync(slot, cancellationToken).ConfigureAwait(false) is { } held)
                {
                    return held;
                }

                await Task.Delay(Retry, time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            throw Unwritable(e);
        }
    }

    public ValueTask<string?> FindObstacleAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return ValueTask.FromResult(_lock.FindStuckHolder()?.ToString());
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            // Not even the lock can be opened, for example on a read-only disk: whoever wants to change something is told so.
            return ValueTask.FromResult<string?>(null);
        }
    }

    public ValueTask<IReadOnlyList<StoppedWorker>> FindStoppedWorkersAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(StoppedHolders.Find(_files.StateDirectory));
    }

    /// <summary>Before the first lock of a slot: its directory is there, and files can be locked in it.</summary>
    private async ValueTask RequireLocksAsync(string slot, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireName(slot);
        if (!_lock.IsProven)
        {
            await ChangeAsync(_ => true, cancellationToken).ConfigureAwait(false);
        }
    }
}
