using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>
/// This process's place in the kernel's line for a lock: a thread that waits there is woken the moment the lock is given back, where one that tries
/// now and then comes late, or burns the time that the holder needs. The kernel's wait cannot be ended, so whoever gives up leaves the place to the next of this
/// process, and there is never more than one. Linux only. For one caller at a time, but for <see cref="Leave"/>.
/// </summary>
internal sealed class LockQueue(string path)
{
    private readonly Lock _lock = new();
    private readonly WaitingThread _thread = new();

    private TaskCompletionSource<FileLock>? _place;
    private bool _isWanted;

    /// <summary>The place that somebody has left, whose lock comes to the caller now; null when there is none.</summary>
    public Task<FileLock>? Adopt()
    {
        lock (_lock)
        {
            _isWanted = true;
            return _place?.Task;
        }
    }

    /// <summary>Takes a place. Only when there is none.</summary>
    /// <param name="busy">The lock's open file.</param>
    public Task<FileLock> Join(SafeFileHandle busy)
    {
        var place = new TaskCompletionSource<FileLock>();
        lock (_lock)
        {
            (_place, _isWanted) = (place, true);
        }

        _thread.Run(() => Wait(busy, place));
        return place.Task;
    }

    /// <summary>Gives up: the lock goes to the next who asks, or is given back as soon as it is there.</summary>
    /// <param name="place">From <see cref="Adopt"/> or <see cref="Join"/>.</param>
    public void Leave(Task<FileLock> place)
    {
        lock (_lock)
        {
            if (_place?.Task == place)
            {
                _isWanted = false;
                return;
            }
        }

        // It has come at this very moment.
        _ = place.ContinueWith(static came => came.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    private void Wait(SafeFileHandle busy, TaskCompletionSource<FileLock> place)
    {
        FileLock? held = null;
        Exception? failure = null;
        try
        {
            held = FileLock.Wait(busy, path);
        }
        catch (Exception e)
        {
            failure = e;
        }

        lock (_lock)
        {
            _place = null;
            if (held is not null && !_isWanted)
            {
                held.Dispose();
                return;
            }
        }

        if (held is not null)
        {
            // Whoever waits goes on here, on this thread: it has the lock already.
            place.SetResult(held);
        }
        else
        {
            place.SetException(failure!);
        }
    }
}
