namespace WorktreePool.FileState;

/// <summary>Finds the slots whose working lock is held by a process that was stopped. Looks at processes only, and takes no lock.</summary>
internal static class StoppedHolders
{
    private const string Extension = ".lock";

    /// <summary>By the lock files in a directory. Their times say since when they are held.</summary>
    public static IReadOnlyList<StoppedWorker> Find(string directory)
    {
        List<StoppedWorker> found = [];
        foreach (LockingProcess process in LockingProcess.All().Where(process => process.State is 'T' or 't'))
        {
            found.AddRange(process.OpenFiles()
                .Where(file => Path.GetDirectoryName(file) == directory && Path.GetExtension(file) == Extension && Path.GetFileName(file).StartsWith("slot-", StringComparison.Ordinal))
                .Select(file => new StoppedWorker(Path.GetFileNameWithoutExtension(file), process.Pid, process.Name, new DateTimeOffset(File.GetLastWriteTimeUtc(file)))));
        }

        return found;
    }
}
