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
}
