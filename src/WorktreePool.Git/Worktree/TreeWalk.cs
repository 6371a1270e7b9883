namespace WorktreePool.Git.Worktree;

/// <summary>
/// Compares a slot's directory with the paths git tracks there, by an own walk: so it sees ignored files, empty directories, special
/// files and nested repositories alike, all of which git hides somewhere. Links are never followed.
/// </summary>
internal static class TreeWalk
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };

    /// <summary>Walks.</summary>
    /// <param name="root">The slot.</param>
    /// <param name="tracked">The tracked paths.</param>
    /// <param name="keep">What may lie about.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public static TreeFacts Run(string root, TrackedPaths tracked, KeepPatterns keep, CancellationToken cancellationToken)
    {
        var facts = new TreeFacts([], [], []);
        FileStatus? above = UnixFiles.IsSupported ? UnixFiles.Status(System.Text.Encoding.UTF8.GetBytes(Path.GetDirectoryName(root)!)) : null;
        Visit(root, "", tracked, keep, facts, above, cancellationToken);
        return facts;
    }

    private static void Visit(string directory, string prefix, TrackedPaths tracked, KeepPatterns keep, TreeFacts facts, FileStatus? above, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!IsOrdinary(directory, above))
        {
            facts.NotWritable.Add(prefix.Length == 0 ? "." : prefix);
        }

        IEnumerable<FileSystemInfo> entries;
        try
        {
            entries = new DirectoryInfo(directory).GetFileSystemInfos("*", Everything);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!facts.NotWritable.Contains(prefix))
            {
                facts.NotWritable.Add(prefix.Length == 0 ? "." : prefix);
            }

            return;
        }

        foreach (FileSystemInfo entry in entries)
        {
            string path = prefix.Length == 0 ? entry.Name : $"{prefix}/{entry.Name}";
            if (path == ".git")
            {
                continue;
            }

            bool isDirectory = (entry.Attributes & FileAttributes.Directory) != 0 && (entry.Attributes & FileAttributes.ReparsePoint) == 0;
            bool isLink = (entry.Attributes & FileAttributes.ReparsePoint) != 0;
            if (isDirectory ? tracked.IsDirectory(path) : tracked.IsFile(path))
            {
                if (!isDirectory && !isLink && IsOdd(entry))
                {
                    facts.Odd.Add(path);
                    facts.Holds |= GitFiles.Holds(entry);
                }

                if (isDirectory && !tracked.IsSubmodule(path))
                {
                    Visit(entry.FullName, path, tracked, keep, facts, above, cancellationToken);
                }
            }
            else if (!isLink && keep.Keeps(path, isDirectory))
            {
                // Left alone, with all below it.
            }
            else if (isDirectory && keep.MayKeepBelow(path))
            {
                Visit(entry.FullName, path, tracked, keep, facts, above, cancellationToken);
            }
            else
            {
                facts.Untracked.Add(path);
                facts.Holds |= GitFiles.Holds(entry);
            }
        }
    }

    /// <summary>Whether it is no file, or none as a checkout makes it.</summary>
    private static bool IsOdd(FileSystemInfo entry) =>
        UnixFiles.IsSupported && UnixFiles.Status(System.Text.Encoding.UTF8.GetBytes(entry.FullName)) is { } status && !(status.IsFile && status.IsOrdinaryFile);

    private static bool IsOrdinary(string directory, FileStatus? above)
    {
        const UnixFileMode All = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        return OperatingSystem.IsWindows()
            || (UnixFiles.IsSupported && UnixFiles.Status(System.Text.Encoding.UTF8.GetBytes(directory)) is { } status ? status.IsOrdinaryDirectory(above) : (File.GetUnixFileMode(directory) & All) == All);
    }
}

/// <summary>What a walk found.</summary>
/// <param name="Untracked">Paths, relative to the slot with forward slashes, that git does not track and no pattern keeps: removing them makes the slot clean.</param>
/// <param name="NotWritable">Directories their owner cannot fully use, or that lend or restrict rights.</param>
/// <param name="Odd">Tracked files that are none, or not as a checkout makes them; git sees little of that.</param>
internal sealed record TreeFacts(List<string> Untracked, List<string> NotWritable, List<string> Odd)
{
    /// <summary>Whether git would wait for ever at something here; see <see cref="GitFiles"/>.</summary>
    public bool Holds { get; set; }
}
