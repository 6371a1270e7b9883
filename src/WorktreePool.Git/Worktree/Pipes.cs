namespace WorktreePool.Git.Worktree;

/// <summary>
/// Pipes and devices in a git directory, where git opens files. They answer nobody who opens them: every git in the repository would wait for ever, and so
/// would libgit2 in this process. No work can be in one, so they are set aside, where a person still sees what was there. Sockets stay: nobody waits
/// at them, and git has some of its own.
/// </summary>
internal static class Pipes
{
    /// <summary>How the name of one that was set aside begins; the rest is where it was, with commas for slashes.</summary>
    public const string SetAsidePrefix = "pipe-at-";

    private const byte Pipe = 1, Device = 2, Folder = 4, Link = 10;

    private static readonly (string Place, bool IsDeep)[] Places =
        [("", false), ("info", false), ("refs", true), ("logs", true), ("objects/info", true), ("objects/pack", false)];

    /// <summary>Sets them aside.</summary>
    /// <param name="repository">The repository; one that is not there yet has none.</param>
    /// <exception cref="GitBackendException">One cannot be moved.</exception>
    public static void SetAside(RepositoryLayout repository)
    {
        if (!UnixFiles.IsSupported)
        {
            return;
        }

        foreach ((string place, bool isDeep) in Places)
        {
            Visit(repository, place, isDeep);
        }
    }

    /// <summary>Removes those in a git directory that goes with a slot, however deep, and links that lead to others.</summary>
    /// <param name="directory">The directory; none is fine. What a link leads to stays.</param>
    public static void RemoveBelow(string directory)
    {
        if (!UnixFiles.IsSupported || !SafeFile.IsRealDirectory(directory))
        {
            return;
        }

        foreach ((byte[] name, byte type) in UnixFiles.Entries(System.Text.Encoding.UTF8.GetBytes(directory)))
        {
            string path = Path.Combine(directory, UnixFiles.Text(name));
            if (type is Pipe or Device || (type == Link && IsAtEndOf(path)))
            {
                TreeRemoval.Remove(path);
            }
            else if (type == Folder)
            {
                RemoveBelow(path);
            }
        }
    }

    /// <summary>Whether one is where git, which follows links in a git directory, opens a file in the end.</summary>
    /// <param name="path">A path in a git directory, whether or not something is there.</param>
    public static bool IsAtEndOf(string path)
    {
        try
        {
            string end = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
            return UnixFiles.IsSupported && UnixFiles.Status(System.Text.Encoding.UTF8.GetBytes(end)) is { IsFile: false, IsDirectory: false, IsLink: false };
        }
        catch (IOException)
        {
            // It leads nowhere.
            return false;
        }
    }

    private static void Visit(RepositoryLayout repository, string place, bool isDeep)
    {
        string directory = Path.Combine(repository.CommonDirectory, place);
        List<(byte[] Name, byte Type)> entries;
        try
        {
            entries = UnixFiles.Entries(System.Text.Encoding.UTF8.GetBytes(directory));
        }
        catch (IOException)
        {
            // Not there, or closed to us: git will say so.
            return;
        }

        foreach ((byte[] name, byte type) in entries)
        {
            string below = place.Length == 0 ? UnixFiles.Text(name) : $"{place}/{UnixFiles.Text(name)}";
            if (type is Pipe or Device)
            {
                Move(repository, directory, name, below);
            }
            else if (isDeep && type == Folder)
            {
                Visit(repository, below, isDeep);
            }
        }
    }

    private static void Move(RepositoryLayout repository, string directory, byte[] name, string below)
    {
        try
        {
            Directory.CreateDirectory(repository.Damaged);
            CrashPoint.Reached("place for pipes made");
            UnixFiles.Move(
                [.. System.Text.Encoding.UTF8.GetBytes(directory + "/"), .. name],
                System.Text.Encoding.UTF8.GetBytes(Path.Combine(repository.Damaged, SetAsidePrefix + below.Replace('/', ','))));
            CrashPoint.Reached("pipe set aside");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{Path.Combine(directory, UnixFiles.Text(name))} is a pipe or a device, at which git would wait for ever, and it cannot be set aside ({e.Message}). No slot was touched. Delete it.", e);
        }
    }
}
