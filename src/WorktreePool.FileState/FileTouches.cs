using System.Text;

namespace WorktreePool.FileState;

/// <summary>
/// Tells which files of the state's directory were touched, by whomever, so that not every one of them need be looked at whenever the state is
/// read. A system call that has returned is told of, so no change is missed. Linux only; elsewhere, and as long as it has not begun, all may have been touched.
/// </summary>
internal sealed class FileTouches(string directory) : IDisposable
{
    /// <summary>
    /// A file that a writer has closed may be open all the same, and not told of: a process that was begun meanwhile has it, too, until it runs its own program. So each write is told;
    /// and what is closed, for a file can be written to without that (mmap(2)).
    /// </summary>
    private const FileChange Touched =
        FileChange.Modified | FileChange.ClosedAfterWriting | FileChange.MovedFrom | FileChange.MovedTo | FileChange.Deleted | FileChange.Created | FileChange.SelfDeleted | FileChange.SelfMoved;

    private const FileChange Lost = FileChange.SelfDeleted | FileChange.SelfMoved | FileChange.Overflowed | FileChange.NoLongerWatched;

    private Inotify? _queue;
    private bool _isDisposed;

    /// <summary>Whether touches are told.</summary>
    public bool IsTold => _queue is not null;

    /// <summary>Begins, if that is possible and was not done. Worth it only for a process that reads often.</summary>
    /// <returns>Whether it has begun just now: what was touched before is not told.</returns>
    public bool Begin()
    {
        if (_queue is not null || _isDisposed || !OperatingSystem.IsLinux())
        {
            return false;
        }

        Inotify? queue = null;
        try
        {
            queue = new Inotify();
            queue.Add(Encoding.UTF8.GetBytes(directory), Touched | FileChange.OnlyIfDirectory);
            _queue = queue;
            return true;
        }
        catch (IOException)
        {
            // No queue is left (fs.inotify.max_user_instances), or the directory went away.
            queue?.Dispose();
            return false;
        }
    }

    /// <summary>Tells what was touched since the last time. Not for two threads at once.</summary>
    /// <param name="touched">Called with the name of each such file.</param>
    /// <returns>False when any file may have been touched.</returns>
    public bool TryTell(Action<string> touched)
    {
        if (_queue is null)
        {
            return false;
        }

        bool isLost = false;
        try
        {
            foreach (FileEvent happened in _queue.Read())
            {
                isLost |= (happened.What & Lost) != 0;
                touched(happened.Name);
            }
        }
        catch (IOException)
        {
            isLost = true;
        }

        if (isLost)
        {
            // It begins anew, should the directory come back: until then, and the first time after it, everything is looked at.
            End();
        }

        return !isLost;
    }

    /// <summary>Ends, until it is begun anew.</summary>
    public void End()
    {
        _queue?.Dispose();
        _queue = null;
    }

    /// <summary>Ends for good: whoever goes on with a store that was disposed looks at every file.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        End();
    }
}
