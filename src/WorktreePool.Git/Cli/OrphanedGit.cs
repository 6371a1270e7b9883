using System.Diagnostics;

namespace WorktreePool.Git.Cli;

/// <summary>Ends processes of ours, git or a set-up step, that outlived the pool process or the command that started them: found by the marker in their environment.</summary>
internal static class OrphanedGit
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    public static async ValueTask EndAsync(string subject, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            // Elsewhere the environment of another process cannot be read; there a git that outlived its parent ends by itself.
            return;
        }

        string mark = $"{GitRunner.Marker}={subject}";
        while (true)
        {
            List<int> orphans = Find(mark);
            if (orphans.Count == 0)
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

    private static List<int> Find(string mark)
    {
        List<int> found = [];
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out int pid) && pid != Environment.ProcessId && HasMark(directory, mark))
            {
                found.Add(pid);
            }
        }

        return found;
    }

    private static bool HasMark(string directory, string mark)
    {
        try
        {
            return File.ReadAllText($"{directory}/environ").Split('\0').Contains(mark);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
