using System.ComponentModel;
using System.Diagnostics;
using WorktreePool.Git.Cli;

namespace WorktreePool.Git.SetUp;

/// <summary>Runs a step's command in a slot: no shell, an argument list, few variables, no input, and nothing of it outlives it.</summary>
internal sealed class StepProcess(string? slotsDirectory, TimeProvider time)
{
    /// <summary>How long killed processes may take to go.</summary>
    private static readonly TimeSpan Dying = TimeSpan.FromSeconds(5);

    /// <exception cref="SetUpFailedException">It could not be started, failed, or took too long.</exception>
    public async ValueTask RunAsync(SlotPlace place, SetUpStep step, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var process = new Process { StartInfo = Describe(place, step) };
        CrashPoint.Reached("set-up step to start");
        try
        {
            process.Start();
            CrashPoint.Reached("set-up step running");
        }
        catch (Win32Exception e)
        {
            throw Failed(place, step, $"could not be started ({e.Message})", null, e);
        }

        var output = new OutputTail(step.Environment.Values);
        Task reading = Task.WhenAll(output.ReadAsync(process.StandardOutput), output.ReadAsync(process.StandardError));
        using var timer = new CancellationTokenSource(step.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
            CrashPoint.Reached("set-up step ended");
        }
        catch (OperationCanceledException)
        {
            Kill(process);
        }
        finally
        {
            // Whatever it left running holds its output open and would go on changing the slot.
            using var dying = new CancellationTokenSource(Dying, time);
            await OrphanedGit.EndAsync(place.Path, time, dying.Token).ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (either.IsCancellationRequested)
        {
            throw Failed(place, step, $"did not end within its Timeout ({step.Timeout.TotalSeconds:0.###} s) and was killed", output);
        }

        await reading.WaitAsync(either.Token).ConfigureAwait(false);
        if (process.ExitCode != 0)
        {
            throw Failed(place, step, $"failed with exit code {process.ExitCode}", output);
        }
    }

    private ProcessStartInfo Describe(SlotPlace place, SetUpStep step)
    {
        string path = StepEnvironment.PathWithout(slotsDirectory ?? place.Path);
        string program = ProgramPath.Find(step.Command[0], path) ?? throw Failed(place, step, "could not be started: there is no such program on PATH", null);
        if (StepEnvironment.IsInside(program, slotsDirectory ?? place.Path))
        {
            throw Failed(place, step, $"was not started: {program} lies in a slot, whose holders could have put anything there", null);
        }

        var start = new ProcessStartInfo(program, step.Command.Skip(1))
        {
            WorkingDirectory = place.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        StepEnvironment.Set(start.Environment, path, place, step);
        return start;
    }

    private static SetUpFailedException Failed(SlotPlace place, SetUpStep step, string what, OutputTail? output, Exception? inner = null) =>
        new($"set-up step \"{step.Name}\" ({string.Join(' ', step.Command.Take(4))}) {what} in {place.Slot}{(output?.Text is { Length: > 0 } text ? $"; it wrote: {text}" : "")}", inner);

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself, or what it started is ended by its mark.
        }
    }
}
