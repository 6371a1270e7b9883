using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// Makes an isolated repository consist of what <see cref="IsolatedFiles"/> says, and of nothing else that git would read. Everything is compared by
/// content and put in place by a rename, so that several processes may do it at once, and links are removed, never followed.
/// </summary>
internal sealed class FileRestorer(RepositoryLayout repository, string slotsDirectory, TimeProvider time)
{
    /// <summary>How the name of a file or directory in the corner begins while it is made.</summary>
    public const string Making = "restored-";

    private static readonly TimeSpan LongMade = TimeSpan.FromHours(1);

    private string Common => repository.CommonDirectory;

    /// <summary>Restores; what was not as it should be.</summary>
    /// <exception cref="GitBackendException">The repository is elsewhere, and only a link to it is left here.</exception>
    public List<Finding> Restore(BaselineDocument baseline)
    {
        if (new FileInfo(Common).LinkTarget is { } elsewhere)
        {
            throw new GitBackendException($"{Common} is a link to {elsewhere}: to put things right there could change what is not the pool's, and to begin anew here would leave behind what others have made. Nothing was changed. Move the repository itself back to that path.");
        }

        List<Finding> findings = [];
        List<IsolatedFile> files = [.. IsolatedFiles.Of(baseline)];
        var atWork = new GitAtWork(repository, slotsDirectory);
        foreach (string directory in IsolatedFiles.Directories.Prepend(""))
        {
            EnsureDirectory(directory, findings);
        }

        foreach (IsolatedFile file in files)
        {
            Ensure(file, findings);
        }

        HashSet<string> top = [.. files.Select(file => file.Path.Split('/')[0]), .. IsolatedFiles.Directories.Select(directory => directory.Split('/')[0]), .. IsolatedFiles.Others];
        RemoveOthers("", top, atWork, findings);
        RemoveOthers("hooks", Names("hooks"), atWork, findings);
        RemoveOthers("info", Names("info"), atWork, findings);
        RemoveOthers("objects/info", Names("objects/info"), atWork, findings);
        RemoveLeft("objects", atWork, findings);
        RemoveLeft("objects/pack", atWork, findings);
        RemoveIndexOverPacks(findings);
        RemoveHalfMade();
        RemoveUnlessDirectory("logs", findings);
        RemoveUnlessDirectory("lfs", findings);
        return findings;

        HashSet<string> Names(string directory) => [.. files.Where(file => Path.GetDirectoryName(file.Path)!.Replace('\\', '/') == directory).Select(file => Path.GetFileName(file.Path))];
    }

    /// <summary>Removes the lock files among these that no git at work can own.</summary>
    public void RemoveLocks(IEnumerable<string> locks, List<Finding> findings)
    {
        var atWork = new GitAtWork(repository, slotsDirectory);
        foreach (string path in locks.Where(path => atWork.IsStale(path, time.GetUtcNow())))
        {
            Remove(path, findings);
        }
    }

    private void EnsureDirectory(string name, List<Finding> findings)
    {
        string path = Path.Combine(Common, name);
        if (!SafeFile.IsRealDirectory(path))
        {
            if (SafeFile.Exists(path))
            {
                Remove(path, findings);
            }

            Directory.CreateDirectory(path);
            CrashPoint.Reached("repository directory made");
        }

        TreeRemoval.MakeWritable(path);
    }

    private void RemoveUnlessDirectory(string name, List<Finding> findings)
    {
        string path = Path.Combine(Common, name);
        if (SafeFile.Exists(path) && !SafeFile.IsRealDirectory(path))
        {
            Remove(path, findings);
        }
    }

    private void Ensure(IsolatedFile file, List<Finding> findings)
    {
        string path = Path.Combine(Common, file.Path);
        if (file.IsAt(path))
        {
            return;
        }

        findings.Add(new Finding(IdOf(file.Path), $"{file.Path} {(SafeFile.Exists(path) ? "was changed" : "was gone")}; it is put back"));

        // Made in the pool's corner: what lies beside the file is removed as not belonging there, by whichever process sees it.
        string making = Path.Combine(repository.Scratch, $"{Making}{Guid.NewGuid():N}");
        file.Write(making);
        if (SafeFile.IsRealDirectory(path))
        {
            TreeRemoval.Remove(path);
        }

        File.Move(making, path, overwrite: true);
        CrashPoint.Reached("repository file restored");
    }

    private void RemoveOthers(string directory, HashSet<string> allowed, GitAtWork atWork, List<Finding> findings)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries(Path.Combine(Common, directory)).Where(entry => !allowed.Contains(Path.GetFileName(entry))).ToList())
        {
            if (!IsLeft(Path.GetFileName(entry)) || atWork.IsStale(entry, time.GetUtcNow()))
            {
                Remove(entry, findings);
            }
        }
    }

    /// <summary>Removes what a killed process of the pool was about to put in place. It takes a moment; a clock that was set makes it longer.</summary>
    private void RemoveHalfMade()
    {
        foreach (string file in Directory.EnumerateFileSystemEntries(repository.Scratch, Making + "*").Where(file => time.GetUtcNow() - File.GetLastWriteTimeUtc(file) > LongMade).ToList())
        {
            TreeRemoval.Remove(file);
        }
    }

    /// <summary>Removes only what a killed git leaves.</summary>
    private void RemoveLeft(string directory, GitAtWork atWork, List<Finding> findings)
    {
        foreach (string entry in Directory.EnumerateFiles(Path.Combine(Common, directory)).Where(entry => IsLeft(Path.GetFileName(entry))).ToList())
        {
            if (atWork.IsStale(entry, time.GetUtcNow()))
            {
                Remove(entry, findings);
            }
        }
    }

    /// <summary>Like a commit-graph it is made from what else is there, and with one that is damaged no git begins.</summary>
    private void RemoveIndexOverPacks(List<Finding> findings)
    {
        foreach (string entry in Directory.EnumerateFileSystemEntries(Path.Combine(Common, "objects/pack"), "multi-pack-index*").Where(entry => !IsLeft(Path.GetFileName(entry))).ToList())
        {
            Remove(entry, findings);
        }
    }

    /// <summary>Whether a git at work has such a file, too.</summary>
    private static bool IsLeft(string name) =>
        name.EndsWith(".lock", StringComparison.Ordinal) || name is "gc.pid" or "packed-refs.new" || name.StartsWith("tmp_", StringComparison.Ordinal);

    private void Remove(string path, List<Finding> findings)
    {
        string name = Path.GetRelativePath(Common, path).Replace('\\', '/');
        findings.Add(new Finding(IdOf(name), $"{name} does not belong there; it is removed"));
        TreeRemoval.Remove(path);
    }

    private static string IdOf(string name) => name switch
    {
        "HEAD" => FindingIds.RefsDrift,
        _ when IsLeft(Path.GetFileName(name)) => FindingIds.RepositoryResidue,
        _ when name.StartsWith("config", StringComparison.Ordinal) => FindingIds.ConfigDrift,
        _ when name.StartsWith("hooks", StringComparison.Ordinal) => FindingIds.HooksDrift,
        _ when name.StartsWith("info", StringComparison.Ordinal) || name.StartsWith("objects/info", StringComparison.Ordinal) || name is "shallow" or "rr-cache" => FindingIds.InfoDrift,
        _ => FindingIds.RepositoryResidue,
    };
}
