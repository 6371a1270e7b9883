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
        // Whoever waits for the lock has its file open, too, and may hold another one: this process does so right now.
        LockingProcess? holder = UnixCalls.InodeOf(path) is { } inode ? LockingProcess.All(inode).FirstOrDefault(HasOpen) : null;
        holder ??= LockingProcess.All().FirstOrDefault(process => process.Pid != Environment.ProcessId && HasOpen(process));
        return holder is null ? new LockHolder(path, null, "", false) : new LockHolder(path, holder.Pid, holder.Name, holder.State == 'T');

        bool HasOpen(LockingProcess process) => process.OpenFiles().Contains(path);
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

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
