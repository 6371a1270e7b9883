namespace WorktreePool.Postgres;

/// <summary>
/// A lock on a file of this host. An advisory lock ends with its session, and a session can end while its process still works on the
/// slot's disk; this one ends only with the process. It is the file store's own, so that the two stores never work on one slot at once.
/// </summary>
internal static class HostLock
{
    /// <summary>Where the locks' files lie.</summary>
    public static string DirectoryOf(string poolDirectory) => Path.Combine(poolDirectory, "state");

    /// <summary>Takes the lock if it is free; null when it is not.</summary>
    /// <exception cref="StateStoreException">The pool's directory cannot be written.</exception>
    public static FileStream? TryTake(string poolDirectory, string slot, TimeProvider time)
    {
        string directory = DirectoryOf(poolDirectory);
        FileStream? held = null;
        try
        {
            Directory.CreateDirectory(directory);
            held = new FileStream(Path.Combine(directory, $"{slot}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

            // Since when it is held, for whoever finds its holder stopped.
            File.SetLastWriteTimeUtc(held.SafeFileHandle, time.GetUtcNow().UtcDateTime);
            return held;
        }
        catch (IOException e) when (LockConflict.Is(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            throw new StateStoreException($"The working lock of {slot} could not be taken in {directory}: {e.Message} Nothing was changed. Check the directory's rights and the disk.", e);
        }
    }
}
