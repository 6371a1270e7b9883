namespace WorktreePool.Git.Worktree;

/// <summary>
/// The files that git opens wherever it looks: attributes and excludes in every directory, and HEAD of every submodule. One that is a pipe or a device
/// answers nobody who opens it: git, and whoever waits for git, would wait for ever. Nothing that could be lost is in it.
/// </summary>
internal static class GitFiles
{
    private const string Git = ".git", Link = "gitdir: ";

    private static readonly string[] Names = [".gitattributes", ".gitignore", ".gitmodules"];

    private static readonly EnumerationOptions OwnDirectories = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = true };

    /// <summary>Whether this is such a file in a directory and would hold git.</summary>
    public static bool Holds(FileSystemInfo entry) =>
        entry.Name.StartsWith(Git, StringComparison.Ordinal) && Names.Contains(entry.Name) && (entry.Attributes & FileAttributes.ReparsePoint) == 0 && !SafeFile.IsRealFile(entry.FullName);

    /// <summary>Whether git would wait for ever when it asks which commit a submodule is at.</summary>
    /// <param name="submodule">Its directory.</param>
    public static bool HoldsIn(string submodule)
    {
        string link = Path.Combine(submodule, Git);
        if (SafeFile.IsRealDirectory(link))
        {
            return IsOdd(Path.Combine(link, "HEAD"));
        }

        return IsOdd(link) || (SafeFile.TryRead(link)?.Trim() is { } named && named.StartsWith(Link, StringComparison.Ordinal) && !named.Contains('\0', StringComparison.Ordinal)
            && IsOdd(Path.Combine(Path.GetFullPath(named[Link.Length..], submodule), "HEAD")));
    }

    /// <summary>Removes all of them from a worktree, and pipes in git directories there, before git looks for what is new in it.</summary>
    /// <param name="worktree">The worktree. Links are not followed.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public static void RemoveHolding(string worktree, CancellationToken cancellationToken)
    {
        Visit(worktree);

        void Visit(string directory)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                foreach (FileSystemInfo entry in new DirectoryInfo(directory).EnumerateFileSystemInfos(Git + "*", Everything).Where(IsToBeRemoved).ToList())
                {
                    TreeRemoval.Remove(entry.FullName);
                }

                foreach (string below in Directory.EnumerateDirectories(directory, "*", OwnDirectories))
                {
                    if (Path.GetFileName(below) == Git)
                    {
                        Pipes.RemoveBelow(below);
                    }
                    else
                    {
                        Visit(below);
                    }
                }
            }
            catch (Exception e) when (e is PathTooLongException or DirectoryNotFoundException or UnauthorizedAccessException)
            {
                // Git does not get there either.
            }

            // A link that leads to a pipe elsewhere goes; what it leads to is not ours.
            bool IsToBeRemoved(FileSystemInfo entry) =>
                entry.Name == Git ? directory != worktree && !SafeFile.IsRealDirectory(entry.FullName) && HoldsIn(directory) : entry is FileInfo && Holds(entry);
        }
    }

    /// <summary>Whether something is there that is neither a file nor a directory.</summary>
    private static bool IsOdd(string path) => SafeFile.Exists(path) && !SafeFile.IsRealFile(path) && !SafeFile.IsRealDirectory(path);
}
