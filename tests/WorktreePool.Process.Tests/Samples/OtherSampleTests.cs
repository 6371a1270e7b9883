using WorktreePool.Process.Tests.Documents;

namespace WorktreePool.Process.Tests.Samples;

/// <summary>The other samples do what they say.</summary>
public sealed class OtherSampleTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task The_minimal_console_claims_and_gives_back()
    {
        using System.Diagnostics.Process sample = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "MinimalConsole"), [_sandbox.Repository, _sandbox.PoolDirectory])
        { RedirectStandardOutput = true })!;
        string output = await sample.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await sample.WaitForExitAsync(TestContext.Current.CancellationToken);
        sample.ExitCode.Should().Be(0);
        output.Should().StartWith("slot-0 at ").And.Contain("README.md");
        (await _sandbox.Pool().GetSnapshotAsync(TestContext.Current.CancellationToken)).Counts.Leased.Should().Be(0);
    }

    [Theory]
    [InlineData("dispatch.sh")]
    [InlineData("dispatch.py")]
    public async Task A_script_works_all_tickets_through_the_command(string script)
    {
        Assert.SkipWhen(script.EndsWith(".py", StringComparison.Ordinal) && !ExampleStage.Has("python3"), "python3 is not here.");
        await _sandbox.InitAsync(2);
        string tickets = Directory.CreateDirectory(Path.Combine(_sandbox.Root, "tickets")).FullName;
        for (int ticket = 0; ticket < 5; ticket++)
        {
            File.WriteAllText(Path.Combine(tickets, $"T-{ticket}.sh"), $"pwd >> {_sandbox.Root}/log\n");
        }

        (int code, string output, string error) = await _sandbox.RunAsync(new Invocation
        {
            Wrapper = ["bash", "-c", "PATH=\"${0%/*}:$PATH\"; \"$1\" \"$2\"", Path.Combine(AppContext.BaseDirectory, "worktree-pool"), Sample(script), tickets],
        });
        code.Should().Be(0, output + error);
        Directory.GetFiles(Path.Combine(tickets, "done")).Should().HaveCount(5);
        Directory.GetFiles(tickets).Should().BeEmpty();
        (await File.ReadAllLinesAsync(Path.Combine(_sandbox.Root, "log"), TestContext.Current.CancellationToken)).Should().HaveCount(5).And.OnlyContain(path => path == _sandbox.Slot(0) || path == _sandbox.Slot(1));
        (await _sandbox.RunAsync("status", "--json")).Output.Should().Contain("\"free\":2");
    }

    private static string Sample(string script) => Path.Combine(DocumentExample.Root, "samples", "shell", script);
}
