using Microsoft.Win32.SafeHandles;

namespace WorktreePool;

/// <summary>
/// An exclusive lock on a file that ends with its process, however it dies: FileShare.None is flock(2) on Unix. Child processes do not inherit it
/// (the handle is close-on-exec). The file itself is never deleted: a second file of the same name would be a second lock.
/// </summary>
internal sealed class FileLock : IDisposable, IAsyncDisposable
{
    private FileLock(SafeFileHandle file) => File = file;

    /// <summary>The file, open for as long as the lock is held.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Takes the lock if it is free; null when it is not.</summary>
    public static FileLock? TryTake(string path)
    {
        try
        {
            // No FileStream: it would ask the system where in the file it is at every turn.
            SafeFileHandle file = System.IO.File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            CrashPoint.Reached($"{Path.GetFileName(path)} held");
            return new FileLock(file);
        }
        catch (IOException e) when (LockConflict.Is(e))
        {
            return null;
        }
    }

    /// <summary>As the other, and the file's time says since when it is held.</summary>
    public static FileLock? TryTake(string path, TimeProvider time)
    {
        FileLock? held = TryTake(path);
        try
        {
            held?.Touch(time);
            return held;
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    /// <summary>Has the file's time say that it is held since now.</summary>
    public void Touch(TimeProvider time) => System.IO.File.SetLastWriteTimeUtc(File, time.GetUtcNow().UtcDateTime);

    /// <summary>Gives the lock back.</summary>
    public void Dispose() => File.Dispose();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// .NET goes on without a lock where the file system has none or where an environment setting turns locking off, and a pool
    /// without locks would hand one slot to two holders. So a lock that is held is tried once more.
    /// </summary>
    /// <param name="path">The file of a lock that the caller holds.</param>
    public static void Prove(string path)
    {
        if (TryTake(path) is { } second)
        {
            second.Dispose();
            throw new StateStoreException(
                $"Files in {Path.GetDirectoryName(path)} cannot be locked, so the pool would not be safe. Nothing was changed. Put the pool's directory on a local file system, and unset DOTNET_SYSTEM_IO_DISABLEFILELOCKING.");
        }
    }
}
