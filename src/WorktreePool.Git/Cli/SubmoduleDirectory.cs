using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// The git directory of a submodule in a slot, and the <c>.git</c> file that names it: made by content and checked by whitelist, like a slot's
/// own. It borrows all objects; whatever a holder's git adds to it goes when the slot is cleaned, after a rescue.
/// </summary>
internal static class SubmoduleDirectory
{
    private static readonly HashSet<string> AllowedFiles = new(StringComparer.Ordinal) { "HEAD", "config", "index", "packed-refs", "ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG" };

    private static readonly HashSet<string> AllowedDirectories = new(StringComparer.Ordinal) { "objects", "refs", "logs", "modules" };

    /// <summary>What is wrong with the directory and the link; null when git can be run on it.</summary>
    /// <param name="tree">The submodule.</param>
    /// <param name="modules">The <c>modules</c> directory of the slot.</param>
    /// <param name="url">Its trusted URL.</param>
    /// <param name="objects">The object directory it shall borrow from.</param>
    public static string? WhyNot(GitWorktree tree, string modules, string url, string objects)
    {
        if (!RealPaths.IsIn(tree.Slot, tree.Path))
        {
            return "is no directory";
        }

        if (SafeFile.TryRead(Path.Combine(tree.Path, ".git")) != Link(tree))
        {
            return "has no .git file that names its own git directory";
        }

        if (!RealPaths.IsIn(modules, tree.Directory))
        {
            return "has no git directory";
        }

        if (SafeFile.TryRead(Path.Combine(tree.Directory, "config")) != Config(tree, url))
        {
            return "has another config";
        }

        if (!SafeFile.IsRealDirectory(tree.Objects) || SafeFile.TryRead(Path.Combine(tree.Objects, "info", "alternates")) != objects + "\n")
        {
            return "borrows its objects from elsewhere";
        }

        return Residue(tree.Directory) is { } residue ? $"has {residue} left in its git directory" : null;
    }

    /// <summary>Makes both anew; the files stay.</summary>
    /// <param name="tree">The submodule.</param>
    /// <param name="modules">The <c>modules</c> directory of the slot.</param>
    /// <param name="commit">The commit HEAD shall be at.</param>
    /// <param name="url">Its trusted URL.</param>
    /// <param name="objects">The object directory it shall borrow from.</param>
    /// <param name="branches">The remote's branches, as lines of <c>packed-refs</c>.</param>
    public static void Make(GitWorktree tree, string modules, string commit, string url, string objects, string branches)
    {
        RemoveInTheWay(modules, tree.Directory);
        TreeRemoval.Remove(tree.Directory);
        Directory.CreateDirectory(Path.Combine(tree.Objects, "info"));
        CrashPoint.Reached("submodule directory begun");
        Directory.CreateDirectory(Path.Combine(tree.Directory, "refs"));
        CrashPoint.Reached("submodule refs made");
        File.WriteAllText(Path.Combine(tree.Objects, "info", "alternates"), objects + "\n");
        CrashPoint.Reached("submodule alternates written");
        File.WriteAllText(Path.Combine(tree.Directory, "config"), Config(tree, url));
        CrashPoint.Reached("submodule config written");
        File.WriteAllText(Path.Combine(tree.Directory, "packed-refs"), "# pack-refs with: peeled fully-peeled sorted \n" + branches);
        CrashPoint.Reached("submodule refs written");
        if (!SafeFile.IsRealDirectory(tree.Path))
        {
            TreeRemoval.Remove(tree.Path);
            Directory.CreateDirectory(tree.Path);
            CrashPoint.Reached("submodule path made");
        }

        TreeRemoval.MakeWritable(tree.Path);
        SafeFile.Write(Path.Combine(tree.Path, ".git"), Link(tree));

        // Last: without HEAD this is no git directory at all.
        File.WriteAllText(Path.Combine(tree.Directory, "HEAD"), commit + "\n");
        CrashPoint.Reached("submodule HEAD written");
    }

    /// <summary>Removes what is no directory above a submodule's: a link would lead elsewhere, and what is there is not the slot's to remove.</summary>
    private static void RemoveInTheWay(string modules, string directory)
    {
        for (string above = modules; above != directory; above = Path.Combine(above, Path.GetRelativePath(above, directory).Split(Path.DirectorySeparatorChar)[0]))
        {
            if (SafeFile.Exists(above) && !SafeFile.IsRealDirectory(above))
            {
                TreeRemoval.Remove(above);
                return;
            }
        }
    }

    private static string Link(GitWorktree tree) => $"gitdir: {Path.GetRelativePath(tree.Path, tree.Directory)}\n";

    private static string Config(GitWorktree tree, string url) => $"""
        [core]
        	repositoryformatversion = 0
        	filemode = true
        	bare = false
        	logallrefupdates = true
        	worktree = {Path.GetRelativePath(tree.Directory, tree.Path)}
        [remote "origin"]
        	url = "{url.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}"
        	fetch = +refs/heads/*:refs/remotes/origin/*

        """;

    /// <summary>The first thing in the directory that a ready submodule does not have.</summary>
    private static string? Residue(string directory)
    {
        var options = new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false };
        foreach (FileSystemInfo entry in new DirectoryInfo(directory).EnumerateFileSystemInfos("*", options))
        {
            bool isDirectory = entry is DirectoryInfo;
            if (entry.LinkTarget is not null || (!isDirectory && !SafeFile.IsRealFile(entry.FullName)) || !(isDirectory ? AllowedDirectories : AllowedFiles).Contains(entry.Name))
            {
                return entry.Name;
            }

            if (entry.Name is "refs" or "logs" && FindOther(entry.FullName) is { } other)
            {
                return Path.GetRelativePath(directory, other);
            }
        }

        return SafeFile.TryRead(Path.Combine(directory, "packed-refs"))?.Split('\n')
            .FirstOrDefault(line => line.Length > 0 && line[0] is not ('#' or '^') && !line.Contains(" refs/remotes/", StringComparison.Ordinal) && !line.Contains(" refs/tags/", StringComparison.Ordinal));
    }

    /// <summary>A ref or reflog that is neither the remote's nor a tag's, or no plain file.</summary>
    private static string? FindOther(string directory)
    {
        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint, RecurseSubdirectories = true, IgnoreInaccessible = false };
        return Directory.EnumerateFiles(directory, "*", options).FirstOrDefault(file =>
        {
            string name = Path.GetRelativePath(directory, file);
            bool isExpected = name == "HEAD" || name.Contains("remotes/", StringComparison.Ordinal) || name.Contains("tags/", StringComparison.Ordinal);
            return !isExpected || !SafeFile.IsRealFile(file) || name.EndsWith(".lock", StringComparison.Ordinal);
        });
    }
}
