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
    public static FileLock? TryTake(string poolDirectory, string slot, TimeProvider time)
    {
        string directory = DirectoryOf(poolDirectory);
        try
        {
            Directory.CreateDirectory(directory);
            return FileLock.TryTake(Path.Combine(directory, $"{slot}.lock"), held => held.Touch(time));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateStoreException($"The working lock of {slot} could not be taken in {directory}: {e.Message} Nothing was changed. Check the directory's rights and the disk.", e);
        }
    }
}
