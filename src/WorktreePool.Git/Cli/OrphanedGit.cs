using System.Diagnostics;
using System.Globalization;

namespace WorktreePool.Git.Cli;

/// <summary>Ends processes of ours, git or a set-up step, that outlived the pool process or the command that started them: found by the marker in their environment.</summary>
internal static class OrphanedGit
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    /// <summary>A process is on its way to its own program for 5 ms at most on an idle machine, and 20 on a busy one; one that hangs there on a dead disk is not waited for.</summary>
    private static readonly TimeSpan LongestBeginning = TimeSpan.FromSeconds(1);

    /// <summary>Of the flags in <c>/proc/*/stat</c> (PF_EXITING, PF_KTHREAD): a process that has no program any more, or never has one.</summary>
    private const long WithoutProgram = 0x4 | 0x200000;

    /// <summary>The places of these fields in <c>/proc/*/stat</c>, counted from the one after the name; see proc(5).</summary>
    private const int State = 0, Flags = 6, EnvironmentEnd = 48;

    /// <summary>Ends them.</summary>
    /// <param name="subject">What they work on; the caller has its lock.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the wait for their end.</param>
    /// <param name="processes">Where the system tells of its processes.</param>
    public static async ValueTask EndAsync(string subject, TimeProvider time, CancellationToken cancellationToken, string processes = "/proc")
    {
        if (!OperatingSystem.IsLinux())
        {
            // Elsewhere the environment of another process cannot be read; there a git that outlived its parent ends by itself.
            return;
        }

        string mark = $"{GitRunner.Marker}={subject}";
        long since = time.GetTimestamp();
        HashSet<int>? awaited = null;
        while (true)
        {
            (List<int> orphans, HashSet<int> beginning) = Find(processes, mark);
            if (awaited is not null && orphans.Count == 0)
            {
                // What has begun since then is somebody else's: the lock of a killed holder is free only when what it has begun last is about to run its own program.
                beginning.IntersectWith(awaited);
            }

            awaited = beginning;
            if (orphans.Count == 0 && (awaited.Count == 0 || time.GetElapsedTime(since) > LongestBeginning))
            {
                return;
            }

            foreach (int pid in orphans)
            {
                try
                {
                    using Process process = Process.GetProcessById(pid);
                    process.Kill(entireProcessTree: true);
                }
                catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
                {
                    // Gone meanwhile, or not ours to kill; the next look tells.
                }
            }

            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static (List<int> Orphans, HashSet<int> Beginning) Find(string processes, string mark)
    {
        (List<int> orphans, HashSet<int> beginning) = ([], []);
        foreach (string directory in Directory.EnumerateDirectories(processes))
        {
            if (!int.TryParse(Path.GetFileName(directory), out int pid) || pid == Environment.ProcessId)
            {
                continue;
            }

            try
            {
                string environment = File.ReadAllText($"{directory}/environ");
                if (environment.Split('\0').Contains(mark))
                {
                    orphans.Add(pid);
                }
                else if (environment.Length == 0 && IsBeginning(File.ReadAllText($"{directory}/stat")))
                {
                    beginning.Add(pid);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Gone meanwhile, or somebody else's.
            }
        }

        return (orphans, beginning);
    }

    /// <summary>
    /// Whether a process without an environment is still in execve(2), which has closed what its parent had open, locks too, and has not yet told the environment. It is not one that was
    /// given none, nor a thread of the kernel, nor one that has ended.
    /// </summary>
    private static bool IsBeginning(string stat)
    {
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields.Length > EnvironmentEnd && fields[EnvironmentEnd] == "0" && fields[State] is not ("Z" or "X")
            && (long.Parse(fields[Flags], CultureInfo.InvariantCulture) & WithoutProgram) == 0;
    }
}
