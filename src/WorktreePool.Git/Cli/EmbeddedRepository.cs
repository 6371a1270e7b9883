using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// A repository inside of a slot: a submodule, or a clone that a holder made there. Its files are kept as plain files; its commits that no
/// remote of it has are copied to the repository's objects. Its refs are read as files and git is never run in it: its config may be planted.
/// </summary>
/// <param name="Path">Where it is in the slot.</param>
/// <param name="Directory">Its git directory, when that goes with the slot; null when it is elsewhere and stays.</param>
internal sealed record EmbeddedRepository(string Path, string? Directory)
{
    /// <summary>Reads where a repository's git directory is.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="path">Where the repository is in it.</param>
    /// <param name="modules">Where the slot's submodules have their git directories.</param>
    public static EmbeddedRepository Find(string slot, string path, string modules)
    {
        string link = System.IO.Path.Combine(slot, path, ".git");
        if (SafeFile.IsRealDirectory(link))
        {
            return new EmbeddedRepository(path, link);
        }

        const string Prefix = "gitdir: ";
        string? named = SafeFile.TryRead(link)?.Trim() is { } text && text.StartsWith(Prefix, StringComparison.Ordinal)
            ? System.IO.Path.GetFullPath(text[Prefix.Length..], System.IO.Path.Combine(slot, path))
            : null;
        bool goes = named is not null && ((IsBelow(named, slot) && RealPaths.IsIn(slot, named)) || (IsBelow(named, modules) && RealPaths.IsIn(modules, named)));
        return new EmbeddedRepository(path, goes ? named : null);
    }

    /// <summary>Commits it may be the only one to have, and those its remotes have, by id.</summary>
    public (List<string> Own, List<string> Remote) ReadTips()
    {
        HashSet<string> own = new(StringComparer.Ordinal), remote = new(StringComparer.Ordinal);
        if (Directory is null)
        {
            return ([], []);
        }

        Add(own, SafeFile.TryRead(System.IO.Path.Combine(Directory, "HEAD")));
        Add(own, SafeFile.TryRead(System.IO.Path.Combine(Directory, "refs", "stash")));
        AddFiles(own, System.IO.Path.Combine(Directory, "refs", "heads"));
        AddFiles(remote, System.IO.Path.Combine(Directory, "refs", "remotes"));
        foreach (string[] parts in (SafeFile.TryRead(System.IO.Path.Combine(Directory, "packed-refs")) ?? "").Split('\n').Select(line => line.Split(' ')).Where(parts => parts.Length == 2))
        {
            Add(parts[1].StartsWith("refs/remotes/", StringComparison.Ordinal) ? remote : parts[1].StartsWith("refs/heads/", StringComparison.Ordinal) ? own : [], parts[0]);
        }

        return ([.. own.Except(remote)], [.. remote]);
    }

    private static void AddFiles(HashSet<string> tips, string directory)
    {
        if (SafeFile.IsRealDirectory(directory))
        {
            var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
            foreach (string file in System.IO.Directory.EnumerateFiles(directory, "*", options))
            {
                Add(tips, SafeFile.TryRead(file));
            }
        }
    }

    private static void Add(HashSet<string> tips, string? text)
    {
        if (text?.Trim() is { Length: 40 or 64 } id && id.All(char.IsAsciiHexDigitLower))
        {
            tips.Add(id);
        }
    }

    private static bool IsBelow(string path, string directory) =>
        path.StartsWith(directory.TrimEnd(System.IO.Path.DirectorySeparatorChar) + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
