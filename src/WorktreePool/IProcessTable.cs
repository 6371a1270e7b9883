namespace WorktreePool;

/// <summary>The running processes of this machine: the seam through which owners are told alive or dead.</summary>
public interface IProcessTable
{
    /// <summary>This process.</summary>
    ProcessIdentity Current { get; }

    /// <summary>The identity of a running process.</summary>
    /// <param name="pid">A process id of this machine.</param>
    /// <returns>Null when no such process runs.</returns>
    ProcessIdentity? Find(int pid);

    /// <summary>Whether a process still runs.</summary>
    /// <param name="process">An identity recorded before, perhaps on another host or before a reboot.</param>
    Liveness GetLiveness(ProcessIdentity process);

    /// <summary>The processes that work in a directory, except this one and those that it descends from. Those that cannot be seen are left out.</summary>
    /// <param name="directory">An absolute path.</param>
    IReadOnlyList<WorkingProcess> FindIn(string directory);

    /// <summary>Asks a process to end, if it is still the same one: SIGTERM; where there are no signals it is killed. Returns before it is gone.</summary>
    /// <param name="process">An identity found before.</param>
    void Terminate(ProcessIdentity process);

    /// <summary>Kills a process, if it is still the same one. Returns before it is gone.</summary>
    /// <param name="process">An identity found before.</param>
    void Kill(ProcessIdentity process);
}
