namespace WorktreePool.FileState;

/// <summary>
/// Does what blocks for as long as others please, on a thread of its own: .NET's pool has few, and whoever waits there keeps all else waiting. The thread stays for a moment,
/// because the next wait is near where many compete.
/// </summary>
internal sealed class WaitingThread
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private readonly object _sync = new();
    private Action? _next;
    private bool _isIdle;

    /// <summary>Begins the work; on another thread, if one is still at work, or none is to be had.</summary>
    /// <param name="work">Throws nothing.</param>
    public void Run(Action work)
    {
        lock (_sync)
        {
            if (_isIdle)
            {
                (_next, _isIdle) = (work, false);
                Monitor.Pulse(_sync);
                return;
            }
        }

        try
        {
            new Thread(() => RunAll(work)) { IsBackground = true, Name = "worktree-pool line" }.UnsafeStart();
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            _ = Task.Run(work);
        }
    }

    private void RunAll(Action first)
    {
        for (Action? work = first; work is not null; work = WaitForNext())
        {
            work();
        }
    }

    private Action? WaitForNext()
    {
        lock (_sync)
        {
            if (_isIdle || _next is not null)
            {
                // Another thread waits already.
                return null;
            }

            _isIdle = true;
            Monitor.Wait(_sync, Moment);
            (Action? next, _next, _isIdle) = (_next, null, false);
            return next;
        }
    }
}
