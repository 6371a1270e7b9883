namespace WorktreePool;

/// <summary>A process, told apart from any later one with the same pid.</summary>
/// <param name="Host">The machine's name.</param>
/// <param name="BootId">Changes at every boot of the machine; empty where the system has none.</param>
/// <param name="Pid">The process id.</param>
/// <param name="StartTime">When it started, in the system's own unit since its own origin; compared, never read as a time.</param>
public sealed record ProcessIdentity(string Host, string BootId, int Pid, long StartTime);
