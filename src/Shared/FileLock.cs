using Microsoft.Win32.SafeHandles;

namespace WorktreePool;

/// <summary>
/// An exclusive lock on a file that ends with its process, however it dies: flock(2) on Unix. Child processes do not inherit it
/// (the handle is close-on-exec). The file itself is never deleted: a second file of the same name would be a second lock.
/// </summary>
internal sealed class FileLock : IDisposable, IAsyncDisposable
{
    /// <summary>For no longer than this the lock is tried again and again: where others want the processor, too, one try may last as long as their turns.</summary>
    private static readonly TimeSpan LongestTrying = TimeSpan.FromMilliseconds(0.5);

    private FileLock(SafeFileHandle file) => File = file;

    /// <summary>The file, open for as long as the lock is held.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Takes the lock if it is free; null when it is not.</summary>
    public static FileLock? TryTake(string path)
    {
        FileLock? held = TryTake(path, FileAccess.ReadWrite, tries: 1, out SafeFileHandle? busy);
        busy?.Dispose();
        return held;
    }

    /// <summary>Tries several times, giving way to others in between, for half a millisecond at most.</summary>
    /// <param name="path">The file.</param>
    /// <param name="access">Whether the file is to be written; if not, whoever watches it is not told that the lock was given back.</param>
    /// <param name="tries">How often.</param>
    /// <param name="busy">The open file to wait with (<see cref="Wait"/>) when somebody else has the lock; null where one cannot.</param>
    public static FileLock? TryTake(string path, FileAccess access, int tries, out SafeFileHandle? busy)
    {
        busy = null;
        if (!OperatingSystem.IsLinux())
        {
            return TryTakeElsewhere(path);
        }

        SafeFileHandle file = Flock.Open(path, access);
        try
        {
            long began = TimeProvider.System.GetTimestamp();
            for (int done = 1; !Flock.TryTake(file); done++)
            {
                if (done >= tries || TimeProvider.System.GetElapsedTime(began) > LongestTrying)
                {
                    busy = file;
                    return null;
                }

                Thread.Yield();
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return Held(file, path);
    }

    /// <summary>Waits for the lock, however long that takes: the thread stands in the kernel's line and is woken when the lock is given back. Linux only.</summary>
    /// <param name="busy">From <see cref="TryTake(string, FileAccess, int, out SafeFileHandle?)"/>; closed if that fails.</param>
    /// <param name="path">The file.</param>
    public static FileLock Wait(SafeFileHandle busy, string path)
    {
        try
        {
            Flock.Take(busy);
        }
        catch
        {
            busy.Dispose();
            throw;
        }

        return Held(busy, path);
    }

    /// <summary>As the other, and does something with the lock before anybody has it: if that fails, it is given back.</summary>
    public static FileLock? TryTake(string path, Action<FileLock> first)
    {
        FileLock? held = TryTake(path);
        try
        {
            if (held is not null)
            {
                first(held);
            }

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
    public void Dispose()
    {
        if (OperatingSystem.IsLinux() && !File.IsClosed)
        {
            Flock.GiveBack(File);
        }
        else
        {
            File.Dispose();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// A file system may say that it locks and not do it, and a pool without locks would hand one slot to two holders; elsewhere than on Linux .NET goes on without a
    /// lock where there is none or where an environment setting turns locking off. So a lock that is held is tried once more.
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

    private static FileLock Held(SafeFileHandle file, string path)
    {
        CrashPoint.Reached($"{Path.GetFileName(path)} held");
        return new FileLock(file);
    }

    private static FileLock? TryTakeElsewhere(string path)
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
}
