using System.Text;

namespace WorktreePool.FileState;

/// <summary>
/// Tells when the store lock is given back next, or its holder dies: once, and when the change is over. The files of the state themselves tell of a change
/// several times, in the midst of it. As long as nobody has asked, a change costs nobody anything. Linux only.
/// </summary>
internal sealed class LockWatcher : IDisposable
{
    private readonly Inotify _queue = new();
    private readonly byte[] _path;
    private readonly Action _given;
    private volatile bool _ended;

    /// <param name="path">The lock's file.</param>
    /// <param name="given">Called on a thread of the watcher's own; now and then without a cause.</param>
    /// <exception cref="IOException">No queue is left (fs.inotify.max_user_instances).</exception>
    public LockWatcher(string path, Action given)
    {
        (_path, _given) = (Encoding.UTF8.GetBytes(path), given);
        new Thread(Run) { IsBackground = true, Name = "WorktreePool state" }.Start();
    }

    /// <summary>Asks to be told of the next time, from now on.</summary>
    /// <returns>False when that cannot be done, for example because the file is not there.</returns>
    public bool TryAsk()
    {
        try
        {
            _queue.Add(_path, FileChange.ClosedAfterWriting | FileChange.Once);
            return !_ended;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _ended = true;
        try
        {
            // That a watch has ended is an event, too: it wakes the thread, which ends.
            _queue.Remove(_queue.Add("/"u8, FileChange.SelfMoved));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It has ended already, or can watch nothing.
        }
    }

    private void Run()
    {
        using Inotify queue = _queue;
        try
        {
            while (queue.Wait() && !_ended)
            {
                if (queue.Read().ToList().Exists(happened => happened.What.HasFlag(FileChange.ClosedAfterWriting)))
                {
                    _given();
                }
            }
        }
        catch (IOException)
        {
            // Whoever waits looks for itself now and then.
        }

        _ended = true;
    }
}
