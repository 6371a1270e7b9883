using System.Globalization;

namespace WorktreePool.Cli.Readiness;

/// <summary>Limits of this machine and this user.</summary>
internal static class MachineChecks
{
    private const string InotifyInstances = "/proc/sys/fs/inotify/max_user_instances", InotifyWatches = "/proc/sys/fs/inotify/max_user_watches";

    /// <summary>A process that waits watches one directory.</summary>
    private const int WatchesEach = 1;

    public static IEnumerable<Check> For(int slots)
    {
        if (Limit(InotifyInstances) is not { } instances || Limit(InotifyWatches) is not { } watches)
        {
            yield break;
        }

        int used = UsedInstances();
        yield return Check.That(instances - used >= slots, "inotify-instances",
            $"{instances} for this user, {used} of them in use; each claim that waits takes one", Verdict.Warns,
            "Claims beyond the limit look again every half second instead of being woken. Raise fs.inotify.max_user_instances with sysctl.");
        yield return Check.That(watches >= slots * WatchesEach, "inotify-watches", $"{watches} for this user", Verdict.Warns, "Raise fs.inotify.max_user_watches with sysctl.");
    }

    private static long? Limit(string file) =>
        File.Exists(file) && long.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out long limit) ? limit : null;

    /// <summary>Those of processes that may be looked at: the user's own, which are those that count.</summary>
    private static int UsedInstances() => Directory.EnumerateDirectories("/proc").Where(process => char.IsAsciiDigit(Path.GetFileName(process)[0])).Sum(CountIn);

    private static int CountIn(string process)
    {
        try
        {
            return new DirectoryInfo(Path.Combine(process, "fd")).EnumerateFileSystemInfos().Count(open => open.LinkTarget == "anon_inode:inotify");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is another user's.
            return 0;
        }
    }
}
