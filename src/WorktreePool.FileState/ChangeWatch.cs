namespace WorktreePool.FileState;

/// <summary>Wakes waiters when the state has changed, whichever process changed it. One watcher for all waiters of a store.</summary>
/// <param name="storeLock">The file of the lock that every change is made under.</param>
internal sealed class ChangeWatch(string storeLock) : IDisposable
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IDisposable? _watcher;
    private bool _disposed;

    /// <summary>Completes at the next change. Take it before reading the state, so that no change is missed.</summary>
    public Task Next()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _watcher ??= TryWatch();
            if (_watcher is LockWatcher watcher && !watcher.TryAsk())
            {
                watcher.Dispose();
                _watcher = null;
            }

            return _changed.Task;
        }
    }

    /// <summary>Waiters go on, and find it disposed.</summary>
    public void Dispose()
    {
        IDisposable? watcher;
        lock (_lock)
        {
            _disposed = true;
            watcher = _watcher;
            _watcher = null;
        }

        watcher?.Dispose();
        _changed.TrySetException(new ObjectDisposedException(nameof(FileSlotStateStore)));
    }

    private IDisposable? TryWatch() =>
        !File.Exists(storeLock) ? null : OperatingSystem.IsLinux() ? TryWatchLock() : TryWatchFiles();

    private LockWatcher? TryWatchLock()
    {
        try
        {
            return new LockWatcher(storeLock, Signal);
        }
        catch (IOException)
        {
            // Polling does the work alone.
            return null;
        }
    }

    /// <summary>Where the end of a change cannot be told: each file of the state that is written.</summary>
    private FileSystemWatcher? TryWatchFiles()
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(Path.GetDirectoryName(storeLock)!, "*.json") { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite };
            watcher.Changed += (_, _) => Signal();
            watcher.Created += (_, _) => Signal();
            watcher.Renamed += (_, _) => Signal();
            watcher.Deleted += (_, _) => Signal();
            watcher.Error += (_, _) => Signal();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or PlatformNotSupportedException)
        {
            // The directory went away, or nothing can be watched: polling does the work alone.
            watcher?.Dispose();
            return null;
        }
    }

    private void Signal()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.TrySetResult();
    }
}
