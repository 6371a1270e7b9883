namespace WorktreePool.Git.Worktree;

/// <summary>
/// The files that git opens wherever it looks: attributes and excludes in every directory, and HEAD of every submodule. One that is a pipe or a device
/// answers nobody who opens it: git, and whoever waits for git, would wait for ever. Nothing that could be lost is in it.
/// </summary>
internal static class GitFiles
{
    private const string Git = ".git", Link = "gitdir: ";

    private static readonly string[] Names = [".gitattributes", ".gitignore", ".gitmodules"];

    /// <summary>What git opens in a git directory, besides refs, before it knows that it is one and which commit it is at.</summary>
    private static readonly string[] Opened = ["HEAD", "commondir", "config", "config.worktree", "packed-refs"];

    private static readonly EnumerationOptions OwnDirectories = new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = true };

    /// <summary>Whether this is such a file in a directory and would hold git.</summary>
    public static bool Holds(FileSystemInfo entry) =>
        entry.Name.StartsWith(Git, StringComparison.Ordinal) && Names.Contains(entry.Name) && (entry.Attributes & FileAttributes.ReparsePoint) == 0 && !SafeFile.IsRealFile(entry.FullName);

    /// <summary>Whether git would wait for ever when it asks whether a directory is a repository, and which commit it is at.</summary>
    /// <param name="repository">Its directory.</param>
    public static bool HoldsIn(string repository)
    {
        string link = Path.Combine(repository, Git);
        if (SafeFile.IsRealDirectory(link))
        {
            return HoldsInGitDirectory(link);
        }

        return IsOdd(link) || (SafeFile.TryRead(link)?.Trim() is { } named && named.StartsWith(Link, StringComparison.Ordinal) && !named.Contains('\0', StringComparison.Ordinal)
            && HoldsInGitDirectory(Path.GetFullPath(named[Link.Length..], repository)));
    }

    /// <summary>The same of a git directory, which may be anywhere, and of the common one that it names.</summary>
    private static bool HoldsInGitDirectory(string directory)
    {
        if (Opened.Any(name => Pipes.IsAtEndOf(Path.Combine(directory, name))) || HoldsInRefs(Path.Combine(directory, "refs")))
        {
            return true;
        }

        return SafeFile.TryRead(Path.Combine(directory, "commondir"))?.Trim() is { Length: > 0 } common && !common.Contains('\0', StringComparison.Ordinal)
            && Path.GetFullPath(common, directory) is var shared && shared != directory
            && (Opened.Any(name => Pipes.IsAtEndOf(Path.Combine(shared, name))) || HoldsInRefs(Path.Combine(shared, "refs")));
    }

    private static bool HoldsInRefs(string refs)
    {
        try
        {
            return Directory.Exists(refs) && new DirectoryInfo(refs).EnumerateFileSystemInfos("*", Everything).Any(entry => SafeFile.IsRealDirectory(entry.FullName) ? HoldsInRefs(entry.FullName) : Pipes.IsAtEndOf(entry.FullName));
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Removes all of them from a worktree, and pipes in git directories there, before git looks for what is new in it.</summary>
    /// <param name="worktree">The worktree. Links are not followed.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public static void RemoveHolding(string worktree, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> mounts = [.. Mounts.AtOrBelow(worktree).Where(mount => mount != worktree)];
        Visit(worktree, isMounted: false);

        void Visit(string directory, bool isMounted)
        {
            cancellationToken.ThrowIfCancellationRequested();
            isMounted = isMounted || (mounts.Count > 0 && mounts.Contains(directory));
            try
            {
                foreach (FileSystemInfo entry in new DirectoryInfo(directory).EnumerateFileSystemInfos(Git + "*", Everything).Where(IsToBeRemoved).ToList())
                {
                    if (isMounted || mounts.Contains(entry.FullName))
                    {
                        throw Mounted(entry.FullName);
                    }

                    TreeRemoval.Remove(entry.FullName);
                }

                foreach (string below in Directory.EnumerateDirectories(directory, "*", OwnDirectories))
                {
                    if (Path.GetFileName(below) != Git)
                    {
                        Visit(below, isMounted);
                    }
                    else if (!isMounted && !mounts.Any(mount => mount.StartsWith(below, StringComparison.Ordinal)))
                    {
                        Pipes.RemoveBelow(below);
                    }
                    else if (HoldsInGitDirectory(below))
                    {
                        throw Mounted(below);
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

    private static GitBackendException Mounted(string path) =>
        new($"{path} is a pipe or a device, or leads to one, at which git would wait for ever, and it is in a mount: what is there is not the slot's. Nothing was changed. Unmount it.");

    /// <summary>Whether something is there that is neither a file nor a directory.</summary>
    private static bool IsOdd(string path) => SafeFile.Exists(path) && !SafeFile.IsRealFile(path) && !SafeFile.IsRealDirectory(path);
}
