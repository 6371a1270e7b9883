namespace WorktreePool.FileState;

/// <summary>Has a lock file's time say since when the lock is held, as one process sets it.</summary>
internal sealed class LockTime(TimeProvider time)
{
    /// <summary>How much later than that the lock may have been taken: a process that takes it a thousand times a second need not say so each time.</summary>
    private static readonly TimeSpan Precision = TimeSpan.FromMilliseconds(250);

    private DateTimeOffset _setAt;

    /// <summary>For whoever has just taken the lock.</summary>
    public void Set(FileLock held)
    {
        DateTimeOffset now = time.GetUtcNow();
        if ((now - _setAt).Duration() > Precision)
        {
            _setAt = now;
            held.Touch(time);
        }
    }
}
