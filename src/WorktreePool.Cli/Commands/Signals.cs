using System.Runtime.InteropServices;

namespace WorktreePool.Cli.Commands;

/// <summary>Signals between processes, as POSIX numbers them. On Windows the console tells a child by itself.</summary>
internal static partial class Signals
{
    private const int Hangup = 1, Interrupt = 2, Quit = 3, Terminate = 15;

    public static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => Hangup,
        PosixSignal.SIGINT => Interrupt,
        PosixSignal.SIGQUIT => Quit,
        _ => Terminate,
    };

    /// <summary>Sends a signal; one to a process that has ended is lost.</summary>
    public static void Send(int process, PosixSignal signal)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = Kill(process, Number(signal));
        }
    }

    /// <summary>
    /// Whether a key pressed on the terminal signals our children as well as us: then handing the signal on would make two of one, and
    /// many programs take the second for "at once".
    /// </summary>
    public static bool ComeFromTerminal() =>
        !OperatingSystem.IsWindows() && !Console.IsInputRedirected && ForegroundGroup(StandardInput) is var group && group == OwnGroup();

    private const int StandardInput = 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int ForegroundGroup(int terminal);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int OwnGroup();
}
