using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace WorktreePool.Runtime;

/// <summary>
/// Finds the processes that work in a directory, through /proc (proc(5)): current directory, program, open and mapped files, and the lease's marker in the
/// environment. This process and those it descends from are left out: whoever releases a slot may stand in it. Other users' processes cannot be
/// seen; on systems without /proc none can.
/// </summary>
internal static partial class WorkingProcesses
{
    /// <summary>The variable that names the slot in the environment of a holder's processes.</summary>
    public const string Marker = "WORKTREE_POOL_PATH";

    private const int SigTerm = 15;

    public static IReadOnlyList<WorkingProcess> FindIn(string directory, Func<int, ProcessIdentity?> identify)
    {
        if (!OperatingSystem.IsLinux())
        {
            return [];
        }

        HashSet<int> own = Ancestors();
        byte[] wanted = Encoding.UTF8.GetBytes(directory);
        byte[] marker = Encoding.UTF8.GetBytes($"{Marker}={directory}\0");
        List<WorkingProcess> found = [];
        foreach (string proc in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(proc.AsSpan()), out int pid) || own.Contains(pid))
            {
                continue;
            }

            bool hasMemory = ProcessDirectory.HasMemory(proc);
            bool isMarked = hasMemory && ProcessDirectory.HasInEnvironment(proc, marker);
            bool worksIn = ProcessDirectory.LeadsInto(proc, wanted) || (hasMemory && ProcessDirectory.HasMapped(proc, wanted));
            if ((isMarked || worksIn) && identify(pid) is { } identity)
            {
                found.Add(new WorkingProcess(identity, NameOf(proc), isMarked) { IsStarting = IsStarting(pid) });
            }
        }

        return found;
    }

    /// <summary>Asks a process to end, if it is still the one that was seen.</summary>
    public static void Terminate(ProcessIdentity identity, Func<int, ProcessIdentity?> identify) =>
        End(identity, identify, process =>
        {
            if (OperatingSystem.IsWindows())
            {
                process.Kill();
            }
            else
            {
                // One that is not ours to signal stays, and whoever asked looks again.
                _ = SendSignal(process.Id, SigTerm);
            }
        });

    /// <summary>Kills a process, if it is still the one that was seen.</summary>
    public static void Kill(ProcessIdentity identity, Func<int, ProcessIdentity?> identify) => End(identity, identify, process => process.Kill());

    private static void End(ProcessIdentity identity, Func<int, ProcessIdentity?> identify, Action<Process> end)
    {
        try
        {
            using Process process = Process.GetProcessById(identity.Pid);
            if (identify(identity.Pid) == identity)
            {
                end(process);
            }
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // Gone meanwhile, or not ours to kill: whoever asked looks again.
        }
    }

    private static HashSet<int> Ancestors()
    {
        HashSet<int> pids = [];
        for (int pid = Environment.ProcessId; pid > 0 && pids.Add(pid);)
        {
            pid = ParentOf(pid);
        }

        return pids;
    }

    private static int ParentOf(int pid) =>
        Read($"/proc/{pid}/stat") is { } stat && int.TryParse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], out int parent) ? parent : 0;

    private static bool IsStarting(int pid) =>
        ParentOf(pid) == Environment.ProcessId && Read($"/proc/{pid}/cmdline") is { Length: > 0 } line && line == Read("/proc/self/cmdline");

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int process, int signal);

    private static string NameOf(string proc) => Read($"{proc}/comm")?.Trim() ?? "unknown";

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
