using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.Samples;

/// <summary>
/// The sample dispatcher, killed by SIGKILL again and again: every ticket is worked exactly once to its end, none twice at once, and no slot is lost.
/// More kills and tickets by WORKTREE_POOL_DISPATCHER_KILLS and WORKTREE_POOL_DISPATCHER_TICKETS.
/// </summary>
public sealed class DispatcherTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Slots = 3;

    private readonly Sandbox _sandbox = new();
    private readonly List<System.Diagnostics.Process> _started = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static int Kills => Number("WORKTREE_POOL_DISPATCHER_KILLS", 3);

    private static int Tickets => Number("WORKTREE_POOL_DISPATCHER_TICKETS", 12);

    private string Log => Path.Combine(_sandbox.Root, "log");

    private string Folder => Path.Combine(_sandbox.Root, "tickets");

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Log, "");
        for (int ticket = 0; ticket < Tickets; ticket++)
        {
            // The work takes a while, so that kills fall into it; each line is one write, so that those of several workers do not mix.
            File.WriteAllText(Path.Combine(Folder, $"T-{ticket:000}.sh"), $"echo \"begin $WORKTREE_POOL_KEY $WORKTREE_POOL_SLOT\" >> {Log}\nmkdir build\necho x > build/result\nsleep 0.3\necho \"end $WORKTREE_POOL_KEY $WORKTREE_POOL_SLOT\" >> {Log}\n");
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (System.Diagnostics.Process process in _started)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        await _sandbox.DisposeAsync();
    }

    [Fact]
    public async Task Killed_again_and_again_it_works_every_ticket_once()
    {
        var random = new Random(4683);
        System.Diagnostics.Process dispatcher = Start();
        for (int kill = 1; kill <= Kills; kill++)
        {
            // Spread over the tickets, and at any instant of a cycle.
            int begun = Tickets * kill / (Kills + 1);
            await UntilAsync(() => Task.FromResult(Lines("begin").Count >= begun), dispatcher);
            await Task.Delay(random.Next(0, 250), Token);
            dispatcher.Kill();
            await dispatcher.WaitForExitAsync(Token);
            dispatcher = Start();
        }

        await UntilAsync(() => Task.FromResult(Directory.GetFiles(Folder, "*.sh").Length == 0), dispatcher);
        IWorktreePool pool = _sandbox.Pool(options => options.Slots = Slots);
        await UntilAsync(async () => (await pool.GetSnapshotAsync(Token)).Counts.Free == Slots, dispatcher);
        dispatcher.Kill();
        await dispatcher.WaitForExitAsync(Token);

        Directory.GetFiles(Path.Combine(Folder, "done")).Should().HaveCount(Tickets);
        Lines("begin").Should().HaveCount(Tickets).And.OnlyHaveUniqueItems("no ticket is worked twice");
        Lines("end").Should().HaveCount(Tickets).And.OnlyHaveUniqueItems("every ticket is worked to its end");
        NoSlotIsSharedAtAnyTime();
        DoctorReport report = await _sandbox.Open(options => options.Slots = Slots).GetRequiredKeyedService<IPoolOperator>("test").ExamineAsync(fix: false, Token);
        report.Slots.Should().HaveCount(Slots).And.OnlyContain(slot => slot.IsReady, "no slot is lost");
        output.WriteLine($"{Tickets} tickets, {Kills} kills: {Lines("begin").Count} begun, {Lines("end").Count} ended");
    }

    private void NoSlotIsSharedAtAnyTime()
    {
        Dictionary<string, string> working = [];
        foreach (string[] line in File.ReadAllLines(Log).Select(line => line.Split(' ')))
        {
            if (line[0] == "begin")
            {
                working.TryAdd(line[2], line[1]).Should().BeTrue("{0} began in {2} while {1} was at work there", line[1], working.GetValueOrDefault(line[2]), line[2]);
            }
            else
            {
                working.Remove(line[2], out string? ticket).Should().BeTrue();
                ticket.Should().Be(line[1]);
            }
        }

        working.Should().BeEmpty();
    }

    private List<string> Lines(string what) => [.. File.ReadAllLines(Log).Where(line => line.StartsWith(what + " ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1])];

    private System.Diagnostics.Process Start()
    {
        string program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "TicketDispatcher.exe" : "TicketDispatcher");
        var start = new ProcessStartInfo(program, ["--Pool:RepositoryPath", _sandbox.Repository, "--Pool:PoolDirectory", _sandbox.PoolDirectory, "--Tickets", Folder, "--Pool:Slots", $"{Slots}", "--Cycle", "00:00:00.1"])
        {
            RedirectStandardOutput = true,
        };
        System.Diagnostics.Process dispatcher = System.Diagnostics.Process.Start(start)!;
        dispatcher.OutputDataReceived += (_, _) => { };
        dispatcher.BeginOutputReadLine();
        _started.Add(dispatcher);
        return dispatcher;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, System.Diagnostics.Process dispatcher)
    {
        while (!await condition())
        {
            dispatcher.HasExited.Should().BeFalse("the dispatcher runs until it is killed");
            await Task.Delay(20, Token);
        }
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
