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

    /// <summary>Takes the lock if it is free, and a place in line if not: the one that somebody has left, whose lock comes to the caller now, or a new one.</summary>
    /// <param name="access">Whether the file is to be written, as for <see cref="FileLock.TryTake(string, FileAccess, int, out SafeFileHandle?)"/>.</param>
    /// <param name="tries">How often it is tried before.</param>
    /// <returns>The lock when it comes; null where one cannot stand in line, and somebody has it.</returns>
    public Task<FileLock>? Enter(FileAccess access, int tries)
    {
        lock (_lock)
        {
            _isWanted = true;
            if (_place is { } left)
            {
                return left.Task;
            }
        }

        return FileLock.TryTake(path, access, tries, out SafeFileHandle? busy) is { } free ? Task.FromResult(free) : busy is null ? null : Join(busy);
    }

    private Task<FileLock> Join(SafeFileHandle busy)
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
    /// <param name="place">From <see cref="Enter"/>.</param>
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
