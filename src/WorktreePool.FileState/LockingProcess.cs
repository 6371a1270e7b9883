using System.Globalization;

namespace WorktreePool.FileState;

/// <summary>A process that holds a lock on some file, as far as it can be seen: on Linux, when it is the same user's.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">What it does, by proc(5): T when a signal stopped it, t when a debugger did.</param>
internal sealed record LockingProcess(int Pid, string Name, char State)
{
    /// <summary>The processes that hold a flock(2), by /proc/locks.</summary>
    /// <param name="inode">On this file only; null: on any. Some file systems over others give another number there than to who asks for a file's status.</param>
    public static IEnumerable<LockingProcess> All(ulong? inode = null)
    {
        foreach (int pid in Pids(inode).Distinct())
        {
            // proc(5): "pid (comm) state …"; a name may hold spaces and parentheses.
            if (Read($"/proc/{pid}/stat") is { } stat && stat.LastIndexOf(')') is var end and > 0 && end + 2 < stat.Length)
            {
                yield return new LockingProcess(pid, stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..end], stat[end + 2]);
            }
        }
    }

    /// <summary>The files that it has open.</summary>
    public IReadOnlyList<string> OpenFiles()
    {
        try
        {
            return [.. new DirectoryInfo($"/proc/{Pid}/fd").EnumerateFileSystemInfos().Select(open => open.LinkTarget).OfType<string>()];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or another user's.
            return [];
        }
    }

    private static IEnumerable<int> Pids(ulong? inode)
    {
        string? end = inode is { } number ? string.Create(CultureInfo.InvariantCulture, $":{number}") : null;
        foreach (string line in (Read("/proc/locks") ?? "").Split('\n'))
        {
            // "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; who waits has "->" and a process of another container has 0.
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is [_, "FLOCK", _, "WRITE", var text, var file, ..] && (end is null || file.EndsWith(end, StringComparison.Ordinal)) && int.TryParse(text, out int pid) && pid > 0)
            {
                yield return pid;
            }
        }
    }

    private static string? Read(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
