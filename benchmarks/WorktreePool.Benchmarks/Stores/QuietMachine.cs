namespace WorktreePool.Benchmarks.Stores;

/// <summary>A machine on which nobody works in a slot and no owner dies: looking through its processes costs nothing.</summary>
internal sealed class QuietMachine : IProcessTable
{
    public ProcessIdentity Current { get; } = new(Environment.MachineName, "benchmark", Environment.ProcessId, 1);

    public ProcessIdentity? Find(int pid) => Current with { Pid = pid };

    public Liveness GetLiveness(ProcessIdentity process) => Liveness.Alive;

    public IReadOnlyList<WorkingProcess> FindIn(string directory) => [];

    public void Terminate(ProcessIdentity process) => throw new NotSupportedException("there is nobody to kill");

    public void Kill(ProcessIdentity process) => throw new NotSupportedException("there is nobody to kill");
}
