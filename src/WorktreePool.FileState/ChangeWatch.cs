namespace WorktreePool.FileState;

/// <summary>Wakes waiters when a state file changes, whichever process changed it. One watcher for all waiters of a store.</summary>
internal sealed class ChangeWatch : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _directory;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FileSystemWatcher? _watcher;
    private bool _disposed;

    public ChangeWatch(string directory) => _directory = directory;

    /// <summary>Completes at the next change. Take it before reading the state, so that no change is missed.</summary>
    public Task Next()
    {
        lock (_lock)
        {
            if (_watcher is null && !_disposed && Directory.Exists(_directory))
            {
                _watcher = TryWatch();
            }

            return _changed.Task;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _watcher?.Dispose();
        }
    }

    private FileSystemWatcher? TryWatch()
    {
        try
        {
            var watcher = new FileSystemWatcher(_directory, "*.json") { NotifyFilter = NotifyFilters.FileName };
            watcher.Renamed += (_, _) => Signal();
            watcher.Deleted += (_, _) => Signal();
            watcher.Error += (_, _) => Signal();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (IOException)
        {
            // No inotify instance left (fs.inotify.max_user_instances): the store's polling does the work alone.
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
