namespace WorktreePool.Testing;

/// <summary>The processes of a machine that is only told: which live, and which was killed. Shared by all who open a <see cref="TestPool"/>.</summary>
public sealed class TestProcesses
{
    private const string Host = "test-host";

    private readonly Lock _gate = new();
    private readonly HashSet<int> _alive = [];
    private int _lastPid = 1000;

    /// <summary>Starts a process.</summary>
    public ProcessIdentity Start()
    {
        lock (_gate)
        {
            _alive.Add(++_lastPid);
            return Identity(_lastPid);
        }
    }

    /// <summary>Ends a process: leases that it owns are dead from now on.</summary>
    /// <param name="process">From <see cref="Start"/>.</param>
    public void Kill(ProcessIdentity process)
    {
        ArgumentNullException.ThrowIfNull(process);
        lock (_gate)
        {
            _alive.Remove(process.Pid);
        }
    }

    internal IProcessTable TableOf(ProcessIdentity current) => new Table(this, current);

    private static ProcessIdentity Identity(int pid) => new(Host, "test-boot", pid, pid);

    private bool IsAlive(int pid)
    {
        lock (_gate)
        {
            return _alive.Contains(pid);
        }
    }

    private sealed class Table(TestProcesses processes, ProcessIdentity current) : IProcessTable
    {
        public ProcessIdentity Current => current;

        public ProcessIdentity? Find(int pid) => processes.IsAlive(pid) ? Identity(pid) : null;

        public Liveness GetLiveness(ProcessIdentity process) =>
            process.Host != Host ? Liveness.Unknown : process == Identity(process.Pid) && processes.IsAlive(process.Pid) ? Liveness.Alive : Liveness.Dead;

        public IReadOnlyList<WorkingProcess> FindIn(string directory) => [];

        public void Terminate(ProcessIdentity process) => processes.Kill(process);

        public void Kill(ProcessIdentity process) => processes.Kill(process);
    }
}
