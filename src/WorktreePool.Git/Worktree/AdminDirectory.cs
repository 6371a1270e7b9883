using System.Security.Cryptography;
using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// A slot's admin directory (<c>worktrees/NAME</c> in the common directory) and the links between it and the slot. It is made by content
/// and put in place by one rename: never half-made for a sibling's git to trip over, and without a lock (see gitrepository-layout(5)).
/// </summary>
internal sealed class AdminDirectory(RepositoryLayout repository, SparseCone sparse)
{
    /// <summary>All that a ready slot's admin directory may hold.</summary>
    private static readonly HashSet<string> Allowed = new(StringComparer.Ordinal)
    {
        "HEAD", "ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG", "gitdir", "commondir", "index", "logs", "refs", "modules",
    };

    private static readonly HashSet<string> AllowedDirectories = new(StringComparer.Ordinal) { "logs", "refs", "modules" };

    /// <summary>What a sparse slot has besides, by content.</summary>
    private const string SparseConfig = "config.worktree", Info = "info", SparsePatterns = "sparse-checkout";

    private const string LinkPrefix = "gitdir: ";

    /// <summary>What the name of a removed admin directory says after its own; see <see cref="ScratchFor"/>.</summary>
    public const string Trash = "trash";

    public string PathOf(string admin) => Path.Combine(repository.Worktrees, admin);

    /// <summary>
    /// The name of the admin directory that is, or shall be, the slot's: the recorded one; else one that already names the slot; else a new
    /// name. Never one that belongs to a live worktree elsewhere.
    /// </summary>
    public string NameFor(SlotPlace place)
    {
        if (place.Admin is { } recorded && !IsOthers(recorded, place))
        {
            return recorded;
        }

        string link = LinkTarget(place);
        if (Directory.Exists(repository.Worktrees))
        {
            foreach (string directory in Directory.EnumerateDirectories(repository.Worktrees))
            {
                if (SafeFile.TryRead(Path.Combine(directory, "gitdir"))?.Trim() == link && SafeFile.IsRealDirectory(directory))
                {
                    return Path.GetFileName(directory);
                }
            }
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(place.Path)))[..8];
        IEnumerable<string> names = Enumerable.Range(2, int.MaxValue - 2).Select(number => $"{place.Slot}-{hash}-{number}").Prepend($"{place.Slot}-{hash}").Prepend(place.Slot);
        return names.First(name => !SafeFile.Exists(PathOf(name)));
    }

    /// <summary>What is wrong with the links and the admin directory of a slot; with none, git can be run on it.</summary>
    public List<Finding> Examine(SlotPlace place, string admin)
    {
        List<Finding> findings = [];
        string path = PathOf(admin);
        if (!SafeFile.IsRealDirectory(place.Path))
        {
            return [SafeFile.Exists(place.Path)
                ? new Finding(FindingIds.SlotNotDirectory, $"{place.Path} is no real directory")
                : new Finding(FindingIds.SlotMissing, $"{place.Path} does not exist")];
        }

        AddOwner(findings, place.Path, "so git refuses to work in it");

        if (SafeFile.TryRead(Path.Combine(place.Path, ".git"))?.TrimEnd('\n') != LinkPrefix + path)
        {
            findings.Add(new Finding(FindingIds.GitLinkBroken, $"{place.Path}/.git does not name {path}"));
        }

        if (!SafeFile.IsRealDirectory(path))
        {
            findings.Add(new Finding(FindingIds.AdminMissing, $"{path} is no real directory"));
            return findings;
        }

        AddOwner(findings, path, "so a holder's git cannot write there");
        if (!SafeFile.IsRealDirectory(repository.Worktrees))
        {
            findings.Add(new Finding(FindingIds.AdminLinkBroken, $"{repository.Worktrees} is a link, so no worktree finds its repository"));
        }

        if (SafeFile.TryRead(Path.Combine(path, "gitdir"))?.TrimEnd('\n') != LinkTarget(place)
            || SafeFile.TryRead(Path.Combine(path, "commondir"))?.TrimEnd('\n') != "../..")
        {
            findings.Add(new Finding(FindingIds.AdminLinkBroken, $"gitdir or commondir in {path} does not point back"));
        }

        foreach (string residue in Residue(path))
        {
            bool isLock = residue.EndsWith(".lock", StringComparison.Ordinal);
            findings.Add(new Finding(isLock ? FindingIds.LockStale : FindingIds.AdminResidue, Path.GetRelativePath(path, residue)));
        }

        if (sparse.IsSparse && !IsSparse(path))
        {
            findings.Add(new Finding(FindingIds.AdminResidue, $"{Info}/{SparsePatterns} and {SparseConfig} are not those of the pool's sparse setting"));
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & UnixFileMode.UserWrite) == 0)
        {
            findings.Add(new Finding(FindingIds.NotWritable, path));
        }

        return findings;
    }

    private static void AddOwner(List<Finding> findings, string path, string consequence)
    {
        if (UnixFiles.OwnerOf(path) is { } owner && owner != UnixFiles.CurrentUser)
        {
            findings.Add(new Finding(FindingIds.ForeignOwner, $"{path} belongs to user {owner}, {consequence}"));
        }
    }

    /// <summary>A new place for something half-made of one slot; whoever takes the slot over from a crash finds it by its name.</summary>
    public string ScratchFor(string admin, string what) => Path.Combine(repository.Scratch, $"{admin}.{what}-{Guid.NewGuid():N}");

    /// <summary>Removes what a process that died at work on the slot left half-made. What refuses to go stays, and the doctor tells of it.</summary>
    public void Sweep(SlotPlace place)
    {
        if (SafeFile.IsRealDirectory(repository.Scratch))
        {
            foreach (string debris in Directory.EnumerateFileSystemEntries(repository.Scratch, NameFor(place) + ".*").ToList())
            {
                TreeRemoval.TryRemove(debris);
            }
        }
    }

    /// <summary>The commit id or <c>ref: …</c> in the slot's HEAD; null when it cannot be read.</summary>
    public string? ReadHead(string admin) => SafeFile.TryRead(Path.Combine(PathOf(admin), "HEAD"))?.Trim() is { Length: > 0 } head && !head.Contains('\0') ? head : null;

    /// <summary>Puts HEAD on a commit id or <c>ref: refs/heads/…</c>.</summary>
    /// <remarks>Not to the disk: what a power loss leaves of it is no HEAD, which the next probe finds, as it finds what is left of the index.</remarks>
    public void WriteHead(string admin, string head) => SafeFile.Write(Path.Combine(PathOf(admin), "HEAD"), head + "\n", toDisk: false);

    /// <summary>Makes links and admin directory right by content, whatever is there; the index and reflogs survive, all else that is not allowed goes.</summary>
    public void Restore(SlotPlace place, string admin, string commit)
    {
        string path = PathOf(admin);
        if (SafeFile.Exists(repository.Worktrees) && !SafeFile.IsRealDirectory(repository.Worktrees))
        {
            throw new GitBackendException($"{repository.Worktrees} is no real directory, so no worktree of {repository.CommonDirectory} works. Nothing was changed. Put a directory there.");
        }

        if (!SafeFile.IsRealDirectory(path))
        {
            if (SafeFile.Exists(path))
            {
                File.Delete(path);
                CrashPoint.Reached("admin residue deleted");
            }

            Create(path, place, commit);
        }
        else
        {
            TreeRemoval.MakeWritable(path);
            foreach (string residue in Residue(path))
            {
                TreeRemoval.Remove(residue);
            }

            SafeFile.Write(Path.Combine(path, "HEAD"), commit + "\n");
            SafeFile.Write(Path.Combine(path, "gitdir"), LinkTarget(place) + "\n");
            SafeFile.Write(Path.Combine(path, "commondir"), "../..\n");
            MakeSparse(path);
        }

        if (!SafeFile.IsRealDirectory(place.Path))
        {
            if (SafeFile.Exists(place.Path))
            {
                // A file or a link: it goes, what a link leads to stays.
                File.Delete(place.Path);
                CrashPoint.Reached("slot file deleted");
            }

            Directory.CreateDirectory(place.Path);
            CrashPoint.Reached("slot directory made");
        }

        TreeRemoval.MakeWritable(place.Path);
        SafeFile.Write(Path.Combine(place.Path, ".git"), $"{LinkPrefix}{path}\n");
    }

    /// <summary>Moves the admin directory out of git's sight and removes it.</summary>
    public void Remove(string admin)
    {
        if (SafeFile.Exists(PathOf(admin)))
        {
            Directory.CreateDirectory(repository.Scratch);
            CrashPoint.Reached("scratch directory made");
            string trash = ScratchFor(admin, Trash);
            if (SafeFile.IsRealDirectory(PathOf(admin)))
            {
                TreeRemoval.MakeWritable(PathOf(admin));
                Directory.Move(PathOf(admin), trash);
                CrashPoint.Reached("admin directory moved away");
            }
            else
            {
                File.Move(PathOf(admin), trash);
                CrashPoint.Reached("admin file moved away");
            }

            TreeRemoval.TryRemove(trash);
        }
    }

    private void Create(string path, SlotPlace place, string commit)
    {
        string making = ScratchFor(Path.GetFileName(path), "making");
        Directory.CreateDirectory(Path.Combine(making, "logs"));
        CrashPoint.Reached("admin directory begun aside");
        Directory.CreateDirectory(Path.Combine(making, "refs"));
        CrashPoint.Reached("admin refs made aside");
        File.WriteAllText(Path.Combine(making, "HEAD"), commit + "\n");
        CrashPoint.Reached("admin HEAD made aside");
        File.WriteAllText(Path.Combine(making, "gitdir"), LinkTarget(place) + "\n");
        CrashPoint.Reached("admin gitdir made aside");
        File.WriteAllText(Path.Combine(making, "commondir"), "../..\n");
        MakeSparse(making);
        CrashPoint.Reached("admin directory made aside");
        Directory.CreateDirectory(repository.Worktrees);
        CrashPoint.Reached("worktrees directory made");
        Directory.Move(making, path);
        CrashPoint.Reached("admin directory in place");
    }

    /// <summary>Everything in an admin directory that a ready slot does not have: operations, locks, refs, config, links, unreadable heads.</summary>
    private List<string> Residue(string path)
    {
        List<string> residue = [];
        foreach (FileSystemInfo entry in new DirectoryInfo(path).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false }))
        {
            bool isLink = (entry.Attributes & FileAttributes.ReparsePoint) != 0;
            bool isDirectory = (entry.Attributes & FileAttributes.Directory) != 0;
            if (sparse.IsSparse && !isLink && (isDirectory ? Info : SparseConfig) == entry.Name)
            {
                // Checked by content; in the directory nothing else may be.
                residue.AddRange(isDirectory ? EntriesOf(entry).Where(path => Path.GetFileName(path) != SparsePatterns) : []);
            }
            else if (isLink || !Allowed.Contains(entry.Name) || isDirectory != AllowedDirectories.Contains(entry.Name) || (!isDirectory && !SafeFile.IsRealFile(entry.FullName)))
            {
                residue.Add(entry.FullName);
            }
            else if (entry.Name == "refs")
            {
                residue.AddRange(EntriesOf(entry));
            }
            else if (entry.Name == "logs")
            {
                // Anything but plain files named HEAD could make git write elsewhere or fail.
                residue.AddRange(EntriesOf(entry).Where(log => Path.GetFileName(log) != "HEAD" || !SafeFile.IsRealFile(log)));
            }
            else if (entry.Name == "ORIG_HEAD" && SafeFile.TryRead(entry.FullName)?.Trim() is not { Length: 40 or 64 })
            {
                residue.Add(entry.FullName);
            }
        }

        return residue;
    }

    /// <summary>What is in a directory; of one that is closed to us, itself: it cannot stay.</summary>
    private static string[] EntriesOf(FileSystemInfo directory)
    {
        try
        {
            return Directory.GetFileSystemEntries(directory.FullName);
        }
        catch (UnauthorizedAccessException)
        {
            return [directory.FullName];
        }
    }

    private bool IsSparse(string path) =>
        SafeFile.TryRead(Path.Combine(path, SparseConfig)) == SparseCone.Config && SafeFile.TryRead(Path.Combine(path, Info, SparsePatterns)) == sparse.Patterns;

    /// <summary>Says to the pool's git, and to the holder's, which part of the tree the slot has.</summary>
    private void MakeSparse(string path)
    {
        if (sparse.IsSparse)
        {
            Directory.CreateDirectory(Path.Combine(path, Info));
            CrashPoint.Reached("sparse directory made");
            SafeFile.Write(Path.Combine(path, Info, SparsePatterns), sparse.Patterns);
            SafeFile.Write(Path.Combine(path, SparseConfig), SparseCone.Config);
        }
    }

    /// <summary>Whether an admin directory is linked both ways to a live worktree that is not this slot.</summary>
    private bool IsOthers(string admin, SlotPlace place)
    {
        // Relative ones are written by git 2.48 and later, with worktree.useRelativePaths.
        if (SafeFile.TryRead(Path.Combine(PathOf(admin), "gitdir"))?.Trim() is not { Length: > 0 } named || named.Contains('\0', StringComparison.Ordinal)
            || Path.GetFullPath(named, PathOf(admin)) is var link && link == LinkTarget(place)
            || SafeFile.TryRead(link)?.Trim() is not { } back || !back.StartsWith(LinkPrefix, StringComparison.Ordinal) || back.Length == LinkPrefix.Length || back.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        return Path.GetFullPath(back[LinkPrefix.Length..], Path.GetDirectoryName(link)!) == PathOf(admin);
    }

    private static string LinkTarget(SlotPlace place) => Path.Combine(place.Path, ".git");
}
