using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>run: claims, runs a command in the slot, and releases however it ends.</summary>
internal static partial class RunCommand
{
    private static readonly Argument<string[]> CommandLine = new("command") { Arity = ArgumentArity.OneOrMore, Description = "The command and its arguments, after --" };

    public static Command Create() => App.Command("run", "Claims a slot, runs a command in it, releases it", RunAsync,
        [new Option<string>("--key") { Required = true }, .. ClaimCommands.ClaimOptions(), .. ReleaseCommand.ModeOptions(), CommandLine]);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        ReleaseMode? mode = ReleaseCommand.Mode(session);
        string[] command = session.Parsed.GetValue(CommandLine)!;
        ClaimRequest request = ClaimCommands.Request(session, session.Get<string>("--key")!, LeaseOwner.ForProcess(session.Processes.Current));
        ClaimResult claimed = await ClaimCommands.ClaimOrRefusalAsync(session.Pool, request, cancellationToken);
        if (claimed.Lease is not { } lease)
        {
            return ClaimCommands.Give(session, claimed);
        }

        int code;
        try
        {
            code = await RunInSlotAsync(lease, command);
        }
        finally
        {
            Interruption.OnSignal = null;
            ReleaseReport report = await lease.ReleaseAsync(mode, CancellationToken.None);
            if (report.Rescued.Count > 0)
            {
                await Console.Error.WriteLineAsync($"worktree-pool: work left in {lease.Slot} was kept: {string.Join(", ", report.Rescued)} (see worktree-pool rescue list)");
            }
        }

        return code;
    }

    private static async Task<int> RunInSlotAsync(SlotLease lease, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = lease.Path, UseShellExecute = false };
        start.Environment["WORKTREE_POOL_SLOT"] = lease.Slot;
        start.Environment["WORKTREE_POOL_PATH"] = lease.Path;
        start.Environment["WORKTREE_POOL_KEY"] = lease.Key;
        start.Environment["WORKTREE_POOL_TOKEN"] = lease.Token.Value;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            await Console.Error.WriteLineAsync($"worktree-pool: {command[0]} could not be started: {e.Message}");
            return ExitCode.CommandNotFound;
        }

        using (process)
        {
            Interruption.OnSignal = signal => Forward(process, signal);
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode;
        }
    }

    private static void Forward(Process process, PosixSignal signal)
    {
        if (OperatingSystem.IsWindows())
        {
            // The console has told the child already.
            return;
        }

        const int Hangup = 1, Interrupt = 2, Terminate = 15;
        _ = Kill(process.Id, signal switch { PosixSignal.SIGHUP => Hangup, PosixSignal.SIGINT => Interrupt, _ => Terminate });
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
