namespace WorktreePool.FileState;

/// <summary>Wakes waiters when a state file changes, whichever process changed it. One watcher for all waiters of a store.</summary>
internal sealed class ChangeWatch(string directory) : IDisposable
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FileSystemWatcher? _watcher;
    private bool _disposed;

    /// <summary>Completes at the next change. Take it before reading the state, so that no change is missed.</summary>
    public Task Next()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _watcher ??= TryWatch();

            return _changed.Task;
        }
    }

    /// <summary>Waiters go on, and find it disposed.</summary>
    public void Dispose()
    {
        FileSystemWatcher? watcher;
        lock (_lock)
        {
            _disposed = true;
            watcher = _watcher;
            _watcher = null;
        }

        watcher?.Dispose();
        Signal();
    }

    private FileSystemWatcher? TryWatch()
    {
        if (!Directory.Exists(directory))
        {
            return null;
        }

        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(directory, "*.json") { NotifyFilter = NotifyFilters.FileName };
            watcher.Created += (_, _) => Signal();
            watcher.Renamed += (_, _) => Signal();
            watcher.Deleted += (_, _) => Signal();
            watcher.Error += (_, _) => Signal();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or PlatformNotSupportedException)
        {
            // No inotify instance is left (fs.inotify.max_user_instances), or the directory went away: polling does the work alone.
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
