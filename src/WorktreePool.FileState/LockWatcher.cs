using System.Text;

namespace WorktreePool.FileState;

/// <summary>
/// Tells when the store lock was given back, or its holder died: once for each change, and when it is over. The files of the state themselves tell of
/// it several times, in the middle of it. Linux only.
/// </summary>
internal sealed class LockWatcher : IDisposable
{
    private readonly Inotify _queue;
    private readonly int _watch;
    private readonly Action _given;
    private volatile bool _ended;

    private LockWatcher(Inotify queue, string path, Action given)
    {
        (_queue, _given) = (queue, given);
        _watch = queue.Add(Encoding.UTF8.GetBytes(path), FileChange.ClosedAfterWriting);
        new Thread(Run) { IsBackground = true, Name = "WorktreePool state" }.Start();
    }

    /// <summary>Begins to watch; null when that cannot be done, and polling does the work alone.</summary>
    /// <param name="path">The lock's file.</param>
    /// <param name="given">Called on a thread of the watcher's own.</param>
    public static LockWatcher? TryStart(string path, Action given)
    {
        Inotify? queue = null;
        try
        {
            queue = new Inotify();
            return new LockWatcher(queue, path, given);
        }
        catch (IOException)
        {
            // No queue is left (fs.inotify.max_user_instances), or the file went away.
            queue?.Dispose();
            return null;
        }
    }

    /// <summary>Whether it tells no more, for example because the file is not the one that it watches any longer.</summary>
    public bool HasEnded => _ended;

    public void Dispose()
    {
        _ended = true;
        try
        {
            // Wakes the thread, which ends.
            _queue.Remove(_watch);
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    private void Run()
    {
        using Inotify queue = _queue;
        try
        {
            while (queue.Wait() && !_ended && queue.Read().ToArray().All(happened => !happened.What.HasFlag(FileChange.NoLongerWatched)))
            {
                _given();
            }
        }
        catch (IOException)
        {
            // Whoever waits looks for itself now and then.
        }

        _ended = true;
    }
}
