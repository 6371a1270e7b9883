using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

public sealed class RunCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(1);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task The_command_runs_in_the_slot_with_its_variables_and_input()
    {
        (int code, string output, string error) = await _sandbox.RunAsync(
            new Invocation("run", "--key", "K 1", "--branch", "cr/k", "--", "sh", "-c", "pwd; git symbolic-ref HEAD; echo \"$WORKTREE_POOL_SLOT|$WORKTREE_POOL_PATH|$WORKTREE_POOL_KEY|$WORKTREE_POOL|$1|$2\"; cat", "sh", "--json", "a  b") { Input = "typed\n" });

        code.Should().Be(0, error);
        output.Should().Be($"{_sandbox.Slot(0)}\nrefs/heads/cr/k\nslot-0|{_sandbox.Slot(0)}|K 1|{_sandbox.PoolDirectory}|--json|a  b\ntyped\n");
        _sandbox.ShouldBeReady(0);
    }

    [Fact]
    public async Task The_command_can_use_its_token()
    {
        string self = Path.Combine(AppContext.BaseDirectory, "worktree-pool");
        (int code, string output, string error) = await _sandbox.RunAsync(
            "run", "--key", "K", "--", "sh", "-c", $"'{self}' attach --token $WORKTREE_POOL_TOKEN --json");

        code.Should().Be(0, error);
        JsonDocument.Parse(output).RootElement.GetProperty("key").GetString().Should().Be("K");
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("exit 255", 255)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("kill -15 $$", 143)]
    [InlineData("kill -6 $$", 134)]
    public async Task Exits_with_the_commands_code_and_releases(string script, int expected)
    {
        (int code, _, string error) = await _sandbox.RunAsync("run", "--key", "K", "--", "sh", "-c", $"echo work > w.txt; {script}");

        code.Should().Be(expected, error);
        error.Should().Contain("was kept", "the work was rescued");
        _sandbox.ShouldBeReady(0);
        await NobodyHoldsAsync();
    }

    [Fact]
    public async Task A_program_that_is_not_there_and_one_that_may_not_be_run()
    {
        (await _sandbox.RunAsync("run", "--key", "K", "--", "no-such-program")).Code.Should().Be(127);
        (await _sandbox.RunAsync("run", "--key", "K", "--", "./no-such-program")).Code.Should().Be(127);
        (await _sandbox.RunAsync("run", "--key", "K", "--", "./README.md")).Code.Should().Be(126);
        await NobodyHoldsAsync();
    }

    [Fact]
    public async Task A_relative_program_is_the_slots_own()
    {
        string script = Path.Combine(_sandbox.Root, "seed", "build.sh");
        File.WriteAllText(script, "#!/bin/sh\necho from the slot\n");
        Sandbox.Git(Path.Combine(_sandbox.Root, "seed"), "add", "--chmod=+x", "build.sh");
        Sandbox.Git(Path.Combine(_sandbox.Root, "seed"), "commit", "-q", "-m", "build");
        Sandbox.Git(_sandbox.Repository, "fetch", "-q", Path.Combine(_sandbox.Root, "seed"), "main:build");

        (int code, string output, string error) = await _sandbox.RunAsync("run", "--key", "K", "--base", "build", "--", "./build.sh");

        (code, output).Should().Be((0, "from the slot\n"), error);
    }

    [Theory]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Hangup)]
    [InlineData(Signal.Quit)]
    public async Task A_signal_is_handed_on_once_and_the_slot_released(int signal)
    {
        using System.Diagnostics.Process run = _sandbox.Start(
            "run", "--key", "K", "--", "sh", "-c", $"n=0; trap 'n=$((n+1)); echo signal' {signal}; echo up; while read line; [ \"$line\" != end ]; do :; done; echo got $n; exit 5");
        (await run.StandardOutput.ReadLineAsync(Token)).Should().Be("up");

        Signal.Send(run, signal);
        (await run.StandardOutput.ReadLineAsync(Token)).Should().Be("signal");
        await run.StandardInput.WriteLineAsync("end");
        await run.StandardInput.FlushAsync(Token);

        string output = await run.StandardOutput.ReadToEndAsync(Token);
        await run.WaitForExitAsync(Token);
        run.ExitCode.Should().Be(5);
        output.Should().Be("got 1\n");
        _sandbox.ShouldBeReady(0);
        await NobodyHoldsAsync();
    }

    [Fact]
    public async Task A_command_that_dies_of_the_signal_gives_its_number()
    {
        using System.Diagnostics.Process run = _sandbox.Start("run", "--key", "K", "--", "sh", "-c", "echo up; exec sleep 60");
        (await run.StandardOutput.ReadLineAsync(Token)).Should().Be("up");

        Signal.Send(run, Signal.Terminate);
        await run.WaitForExitAsync(Token);

        run.ExitCode.Should().Be(143);
        await NobodyHoldsAsync();
    }

    [Fact]
    public async Task Killed_outright_its_slot_is_the_next_claims()
    {
        using System.Diagnostics.Process run = _sandbox.Start("run", "--key", "K", "--", "sh", "-c", "echo work > w.txt; echo up; exec sleep 60");
        (await run.StandardOutput.ReadLineAsync(Token)).Should().Be("up");
        run.Kill(entireProcessTree: true);
        await run.WaitForExitAsync(Token);

        (int code, JsonElement json) = await _sandbox.JsonAsync("claim", "--key", "K", "--no-wait");

        code.Should().Be(0, json.ToString());
        json.GetProperty("rescued").GetArrayLength().Should().Be(1);
        _sandbox.ShouldBeReady(0);
    }

    [Fact]
    public async Task When_an_operator_releases_its_lease_the_command_is_ended()
    {
        using System.Diagnostics.Process run = _sandbox.Start("run", "--key", "K", "--", "sh", "-c", "echo up; exec sleep 60");
        (await run.StandardOutput.ReadLineAsync(Token)).Should().Be("up");

        (await _sandbox.RunAsync("release", "--key", "K")).Code.Should().Be(0);
        await run.WaitForExitAsync(Token);

        run.ExitCode.Should().Be(143);
        (await run.StandardError.ReadToEndAsync(Token)).Should().MatchRegex("slot-0 for \"K\" (has ended \\(released|is not leased to this holder .any more.: it was released)").And.NotContain("Exception");
    }

    [Fact]
    public async Task Refused_it_runs_nothing_and_gives_the_refusals_code()
    {
        (await _sandbox.RunAsync("claim", "--key", "A")).Code.Should().Be(0);

        (int code, JsonElement json) = await _sandbox.JsonAsync("run", "--key", "B", "--no-wait", "--", "touch", Path.Combine(_sandbox.Root, "ran"));

        (code, json.GetProperty("outcome").GetString()).Should().Be((75, "refused"));
        File.Exists(Path.Combine(_sandbox.Root, "ran")).Should().BeFalse();
        (await _sandbox.RunAsync("run", "--key", "A", "--", "true")).Code.Should().Be(73);
    }

    [Fact]
    public async Task The_commands_own_code_counts_before_a_release_that_failed()
    {
        // The command ends its own lease.
        string self = Path.Combine(AppContext.BaseDirectory, "worktree-pool");

        (int code, _, string error) = await _sandbox.RunAsync("run", "--key", "K", "--", "sh", "-c", $"trap '' TERM; '{self}' release --token $WORKTREE_POOL_TOKEN; exit 9");

        code.Should().Be(9, error);
        await NobodyHoldsAsync();
    }

    private async Task NobodyHoldsAsync() =>
        (await _sandbox.JsonAsync("status")).Json.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(1);
}
