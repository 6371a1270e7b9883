using System.Globalization;
using System.Runtime.InteropServices;

namespace WorktreePool.FileState;

/// <summary>The process that holds a lock file for longer than any change takes, as far as it can be seen: on Linux, when it is the same user's.</summary>
/// <param name="Path">The lock file.</param>
/// <param name="Pid">Its process id; null when it cannot be seen.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsStopped">Whether it was stopped by a signal (SIGSTOP, Ctrl-Z) and does nothing until it is told to continue.</param>
internal sealed partial record LockHolder(string Path, int? Pid, string Name, bool IsStopped)
{
    private const int SigCont = 18;

    /// <summary>Who holds a lock file now.</summary>
    public static LockHolder Find(string path)
    {
        foreach (int pid in LockingProcesses())
        {
            // proc(5): "pid (comm) state …"; a name may hold spaces and parentheses.
            if (HasOpen(pid, path) && Read($"/proc/{pid}/stat") is { } stat && stat.LastIndexOf(')') is var end and > 0)
            {
                return new LockHolder(path, pid, stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..end], stat[(end + 2)..].StartsWith('T'));
            }
        }

        return new LockHolder(path, null, "", false);
    }

    /// <summary>
    /// Tells a stopped holder to continue. It needs milliseconds to finish its change and give the lock back; to take the lock from it instead
    /// would let it write over what others have written meanwhile, whenever it continues.
    /// </summary>
    /// <returns>Whether it was stopped and could be told.</returns>
    public bool TryContinue() => IsStopped && Pid is { } pid && Signal(pid, SigCont) == 0;

    /// <summary>As the beginning of a sentence's second part: who has held what since when.</summary>
    public override string ToString()
    {
        string since = File.GetLastWriteTimeUtc(Path).ToString("u", CultureInfo.InvariantCulture);
        return Pid is { } pid
            ? $"process {pid} ({Name}{(IsStopped ? ", stopped" : "")}) has held {Path} since {since}, and a healthy one holds it for milliseconds. {(IsStopped ? "It is told to continue" : "Look what it waits for")}; end it if it hangs (kill -9 {pid})"
            : $"another process has held {Path} since {since}, and a healthy one holds it for milliseconds. Find it (fuser {Path}), and end it if it hangs";
    }

    /// <summary>The processes that hold a flock(2), by /proc/locks.</summary>
    private static IEnumerable<int> LockingProcesses()
    {
        foreach (string line in (Read("/proc/locks") ?? "").Split('\n'))
        {
            // "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; who waits has "->" and a process of another container has 0.
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is [_, "FLOCK", _, "WRITE", var text, ..] && int.TryParse(text, out int pid) && pid > 0)
            {
                yield return pid;
            }
        }
    }

    private static bool HasOpen(int pid, string path)
    {
        try
        {
            return new DirectoryInfo($"/proc/{pid}/fd").EnumerateFileSystemInfos().Any(open => open.LinkTarget == path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or another user's.
            return false;
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

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
