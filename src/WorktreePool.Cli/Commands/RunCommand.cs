using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>run: claims, runs a command in the slot, and releases however it ends.</summary>
internal static class RunCommand
{
    private static readonly Argument<string[]> CommandLine = new("command") { Arity = ArgumentArity.OneOrMore, Description = "The command and its arguments, after --" };

    public static Command Create() => App.Command("run", "Claims a slot, runs a command in it, releases it", RunAsync,
        [new Option<string>("--key") { Required = true, Description = "What the claim is for" }, .. ClaimCommands.ClaimOptions(), .. ReleaseCommand.ModeOptions(),
            new Option<bool>("--with-parent") { Description = "End the command and release when the process that started this one ends, also by SIGKILL (Linux)" }, CommandLine]);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        ReleaseMode? mode = ReleaseCommand.Mode(session);
        if (session.Get<bool>("--with-parent"))
        {
            ParentWatch.Begin();
        }

        string[] command = session.Parsed.GetValue(CommandLine)!;
        ClaimRequest request = ClaimCommands.Request(session, session.Get<string>("--key")!, LeaseOwner.ForProcess(session.Processes.Current));
        ClaimResult claimed = await ClaimCommands.ClaimOrRefusalAsync(session.Pool, request, cancellationToken);
        if (claimed.Lease is not { } lease)
        {
            return ClaimCommands.Give(session, claimed);
        }

        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await RunInSlotAsync(session, lease, command);
        }
        finally
        {
            session.Interruption.Forward(null);
            if (!lease.LostToken.IsCancellationRequested)
            {
                await ReleaseAsync(lease, mode);
            }
        }
    }

    private static async Task<int> RunInSlotAsync(Session session, SlotLease lease, string[] command)
    {
        var start = new ProcessStartInfo(Executable.Find(command[0], lease.Path), command[1..]) { WorkingDirectory = lease.Path, UseShellExecute = false };
        start.Environment[PoolSettings.PoolVariable] = session.Settings.Directory;
        foreach ((string name, string value) in lease.Environment)
        {
            start.Environment[name] = value;
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            Say($"{command[0]} could not be started in {lease.Slot}: {(File.Exists(start.FileName) ? e.Message : "no such program, neither in the slot nor on the PATH.")}");
            return File.Exists(start.FileName) ? ExitCode.CommandNotExecutable : ExitCode.CommandNotFound;
        }

        using (process)
        {
            session.Interruption.Forward(signal => Hand(process, signal));

            // The slot is another's now, or soon will be: nothing of this lease may go on in it.
            using CancellationTokenRegistration lost = lease.LostToken.Register(() =>
            {
                Say($"the lease of {lease.Slot} for \"{lease.Key}\" has ended (released by somebody else?); the command is asked to end");
                Signals.Send(process.Id, PosixSignal.SIGTERM);
            });
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode;
        }
    }

    private static void Hand(Process process, PosixSignal signal)
    {
        bool hasIt = signal is PosixSignal.SIGINT or PosixSignal.SIGQUIT && Signals.ComeFromTerminal();
        if (!hasIt)
        {
            Signals.Send(process.Id, signal);
        }
    }

    /// <summary>The command's exit code stands, whatever comes of the release: the slot is healed by the next claim if need be.</summary>
    private static async Task ReleaseAsync(SlotLease lease, ReleaseMode? mode)
    {
        try
        {
            ReleaseReport report = await lease.ReleaseAsync(mode, CancellationToken.None);
            if (report.Rescued.Count > 0)
            {
                Say($"work left in {lease.Slot} was kept: {string.Join(", ", report.Rescued)} (see worktree-pool rescue list)");
            }
        }
        catch (WorktreePoolException e)
        {
            Say(e.Message);
        }
    }

    private static void Say(string what) => Console.Error.WriteLine($"worktree-pool: {what}");
}
