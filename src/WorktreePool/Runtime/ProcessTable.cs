using System.Diagnostics;
using System.Globalization;

namespace WorktreePool.Runtime;

/// <summary>
/// Processes as the operating system shows them. On Linux from /proc, because a start time in clock ticks since boot does not move when
/// the wall clock is set; elsewhere from <see cref="Process.StartTime"/>.
/// </summary>
internal sealed class ProcessTable : IProcessTable
{
    private readonly string _host;
    private readonly string _bootId = ReadBootId();

    /// <param name="host">This machine's name in records; null: its own.</param>
    public ProcessTable(string? host = null)
    {
        _host = host ?? Environment.MachineName;
        Current = Find(Environment.ProcessId) ?? new ProcessIdentity(_host, _bootId, Environment.ProcessId, 0);
    }

    public ProcessIdentity Current { get; }

    public ProcessIdentity? Find(int pid) => StartTime(pid) is { } start ? new ProcessIdentity(_host, _bootId, pid, start) : null;

    public Liveness GetLiveness(ProcessIdentity process)
    {
        ArgumentNullException.ThrowIfNull(process);
        if (!string.Equals(process.Host, _host, StringComparison.Ordinal))
        {
            return Liveness.Unknown;
        }

        if (!string.Equals(process.BootId, _bootId, StringComparison.Ordinal))
        {
            return Liveness.Dead;
        }

        return StartTime(process.Pid) == process.StartTime ? Liveness.Alive : Liveness.Dead;
    }

    public IReadOnlyList<WorkingProcess> FindIn(string directory) => WorkingProcesses.FindIn(directory, Find);

    public void Terminate(ProcessIdentity process) => WorkingProcesses.Terminate(process, Find);

    public void Kill(ProcessIdentity process) => WorkingProcesses.Kill(process, Find);

    private static long? StartTime(int pid)
    {
        if (pid <= 0)
        {
            return null;
        }

        return OperatingSystem.IsLinux() ? LinuxStartTime(pid) : PortableStartTime(pid);
    }

    private static long? LinuxStartTime(int pid)
    {
        try
        {
            // proc(5): "pid (comm) state … starttime"; comm may hold spaces and parentheses, so fields are counted from the last one.
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            bool gone = fields[0] is "Z" or "X";
            return gone ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long? PortableStartTime(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            return process.StartTime.ToUniversalTime().Ticks;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string ReadBootId()
    {
        const string Path = "/proc/sys/kernel/random/boot_id";
        return OperatingSystem.IsLinux() && File.Exists(Path) ? File.ReadAllText(Path).Trim() : "";
    }
}
