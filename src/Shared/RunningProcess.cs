using System.Diagnostics;

namespace WorktreePool;

/// <summary>Whether the process that a file is named after still runs: else what it was writing was left by its death.</summary>
internal static class RunningProcess
{
    public static bool Exists(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
