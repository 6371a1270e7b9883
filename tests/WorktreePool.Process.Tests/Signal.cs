using System.Diagnostics;

namespace WorktreePool.Process.Tests;

/// <summary>Signals to a command that runs.</summary>
internal static class Signal
{
    public const int Hangup = 1, Interrupt = 2, Quit = 3, Kill = 9, Terminate = 15;

    public static void Send(System.Diagnostics.Process process, int signal) => Send(process.Id, signal);

    /// <summary>To a process, or to the whole group that it leads.</summary>
    public static void Send(int process, int signal, bool group = false)
    {
        // Some versions of the kill command read a negative number as "every process there is", but after "--" none does.
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(process, 1);
        using var kill = System.Diagnostics.Process.Start(new ProcessStartInfo("kill", [$"-{signal}", "--", $"{(group ? -process : process)}"]))!;
        kill.WaitForExit();
    }

    /// <summary>Completes when the process watches the pool's state, as a claim does that waits.</summary>
    public static async Task WhenWaitingAsync(System.Diagnostics.Process process)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!new DirectoryInfo($"/proc/{process.Id}/fd").EnumerateFileSystemInfos().Any(open => open.LinkTarget?.Contains("inotify", StringComparison.Ordinal) == true))
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
