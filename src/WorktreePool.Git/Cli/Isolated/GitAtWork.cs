using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// Whether a git is at work in a repository: while one is, a lock may be its own. Found through /proc by what the process was told and where it
/// stands, because a lock file is not kept open. Elsewhere than on Linux only a lock's age tells.
/// </summary>
internal sealed class GitAtWork(RepositoryLayout repository, string slotsDirectory)
{
    /// <summary>No git holds a lock of the common directory for so long; git itself gives up a gc.pid at this age (builtin/gc.c).</summary>
    private static readonly TimeSpan Ancient = TimeSpan.FromHours(12);

    private bool? _any;

    /// <summary>Whether a lock was left by a git that is gone.</summary>
    public bool IsStale(string path, DateTimeOffset now) =>
        now - File.GetLastWriteTimeUtc(path) > Ancient || (OperatingSystem.IsLinux() && !(_any ??= Any()));

    private bool Any() => Directory.EnumerateDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0])).Any(IsHere);

    private bool IsHere(string process)
    {
        try
        {
            if (!File.ReadAllText($"{process}/comm").StartsWith("git", StringComparison.Ordinal))
            {
                return false;
            }

            string told = $"{new FileInfo($"{process}/cwd").LinkTarget}\0{File.ReadAllText($"{process}/cmdline")}\0{File.ReadAllText($"{process}/environ")}";
            return told.Contains(repository.CommonDirectory, StringComparison.Ordinal) || told.Contains(slotsDirectory, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or another user's, which cannot be told.
            return false;
        }
    }
}
