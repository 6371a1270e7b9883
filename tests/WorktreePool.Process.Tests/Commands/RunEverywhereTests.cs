using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>run under what starts it in practice: a terminal, timeout, xargs, cron, a service manager, a script that dies; and jobs that daemonise.</summary>
public sealed class RunEverywhereTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "These are Linux's.");
        await _sandbox.InitAsync(2);
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task On_a_terminal_the_command_has_the_terminal()
    {
        (int code, string output, string error) = await _sandbox.RunAsync(Terminal.Terminal.Invocation(91, 33, "COMMAND run --key K -- sh -c 'test -t 0 && test -t 1 && test -t 2 && stty size && exit 6'"));

        code.Should().Be(6, output + error);
        Terminal.Terminal.Plain(output).Should().Contain("33 91");
        await AllFreeAsync();
    }

    [Fact]
    public async Task An_interrupt_from_the_keyboard_comes_once_and_the_slot_is_released()
    {
        string end = Path.Combine(_sandbox.Root, "end");
        using var terminal = Terminal.Terminal.Start(_sandbox, 80, 24, $$"""COMMAND run --key K -- sh -c 'n=0; trap "n=\$((n+1)); echo interrupted" INT; echo up; while [ ! -e {{end}} ]; do sleep 0.05; done; echo got $n; exit 5'""");
        await terminal.WhenSeenAsync(seen => seen.Contains("up", StringComparison.Ordinal));

        await terminal.TypeAsync("\u0003");
        await terminal.WhenSeenAsync(seen => seen.Contains("interrupted", StringComparison.Ordinal));
        File.WriteAllText(end, "");

        (await terminal.EndAsync()).Should().Be(5, terminal.Text);
        terminal.Text.Should().Contain("got 1");
        await AllFreeAsync();
    }

    [Fact]
    public async Task Under_timeout_it_releases_and_the_code_is_timeouts()
    {
        (int code, _, _) = await _sandbox.RunAsync(new Invocation("run", "--key", "K", "--", "sleep", "60") { Wrapper = ["timeout", "1"] });

        code.Should().Be(124);
        await AllFreeAsync();
    }

    [Fact]
    public async Task Under_xargs_each_job_has_a_slot_and_a_failure_is_told()
    {
        (int code, string output, string error) = await _sandbox.RunAsync(
            new Invocation("run", "--key", "KEY", "--discard", "--", "sh", "-c", "echo KEY in $WORKTREE_POOL_SLOT; [ KEY != B ]") { Wrapper = ["xargs", "-P", "2", "-I", "KEY"], Input = "A\nB\nC\n" });

        code.Should().Be(123, error);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(3).And.OnlyContain(line => line.Contains(" in slot-", StringComparison.Ordinal));
        await AllFreeAsync();
    }

    [Fact]
    public async Task From_cron_without_terminal_input_or_environment()
    {
        string[] root = Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } dotnet ? [$"DOTNET_ROOT={dotnet}"] : [];
        (int code, string output, string error) = await _sandbox.RunAsync(
            new Invocation("run", "--pool", _sandbox.PoolDirectory, "--key", "K", "--", "sh", "-c", "tty; echo $WORKTREE_POOL_KEY; cat; echo work > w.txt")
            {
                Wrapper = ["env", "-i", "PATH=/usr/bin:/bin", .. root, "setsid", "--wait"],
                WorkingDirectory = "/",
            });

        code.Should().Be(0, error);
        output.Should().Be("not a tty\nK\n");
        error.Should().Contain("was kept");
        await AllFreeAsync();
    }

    [Theory]
    [InlineData(false, 7)]
    [InlineData(true, 7)]
    public async Task A_service_manager_ends_it_alone_or_with_its_whole_group(bool group, int expected)
    {
        // systemd's KillMode=mixed, and its default, control-group.
        using System.Diagnostics.Process run = _sandbox.Start(new Invocation("run", "--key", "K", "--", "sh", "-c", "trap 'exit 7' TERM; echo $PPID; while :; do sleep 0.05; done") { Wrapper = ["setsid", "--wait"] });
        int pid = int.Parse((await run.StandardOutput.ReadLineAsync(Token))!);

        Signal.Send(pid, Signal.Terminate, group);
        await run.WaitForExitAsync(Token);

        run.ExitCode.Should().Be(expected);
        await AllFreeAsync();
    }

    [Fact]
    public async Task With_parent_a_script_that_is_killed_takes_its_jobs_with_it()
    {
        using System.Diagnostics.Process script = _sandbox.Start(new Invocation("run", "--key", "K", "--with-parent", "--", "sh", "-c", "echo work > w.txt; echo up; exec sleep 300") { Wrapper = ["bash", "-c", "\"$0\" \"$@\" & wait"] });
        (await script.StandardOutput.ReadLineAsync(Token)).Should().Be("up");

        script.Kill();
        await script.WaitForExitAsync(Token);

        // Its output ends when the last process that had it has ended.
        (await script.StandardOutput.ReadToEndAsync(Token)).Should().BeEmpty();
        await AllFreeAsync();
        (await _sandbox.JsonAsync("rescue", "list")).Json.GetProperty("rescues").GetArrayLength().Should().Be(1);
    }

    [Fact]
    public async Task A_job_that_daemonises_is_found_and_ended_with_the_lease()
    {
        (int code, string output, string error) = await _sandbox.RunAsync("run", "--key", "K", "--", "sh", "-c", "setsid --fork sh -c 'echo $$; exec sleep 300 >&- 2>&-'");

        code.Should().Be(0, error);
        // It is gone, or waits for init to notice that it has ended.
        string status = $"/proc/{output.Trim()}/status";
        (File.Exists(status) ? await File.ReadAllTextAsync(status, Token) : "State:\tX").Should().MatchRegex("State:\t[XZ]", "it carried the lease's environment");
        await AllFreeAsync();
    }

    [Fact]
    public async Task One_that_shall_not_be_ended_keeps_its_slot_out_of_use_and_is_named()
    {
        (_, string output, string error) = await _sandbox.RunAsync("run", "--key", "K", "--leftover-processes", "fail", "--", "sh", "-c", "setsid --fork sh -c 'echo $$; exec sleep 300 >&- 2>&-'");
        int daemon = int.Parse(output.Trim());
        try
        {
            error.Should().Contain($"sleep ({daemon})");
            JsonElement slot = (await _sandbox.JsonAsync("status")).Json.GetProperty("slots")[0];
            slot.GetProperty("state").GetString().Should().Be("quarantined");
            slot.GetProperty("quarantine").GetProperty("reason").GetString().Should().Contain($"sleep ({daemon})");
        }
        finally
        {
            Signal.Send(daemon, Signal.Kill);
        }

        (await _sandbox.RunAsync("doctor", "--fix")).Code.Should().Be(0);
        await AllFreeAsync();
    }

    [Fact]
    public async Task Everything_after_the_dashes_is_the_commands()
    {
        (int code, string output, string error) = await _sandbox.RunAsync("run", "--key", "K", "--", "sh", "-c", "printf '<%s>' \"$@\"", "sh", "--key", "--", "--help", "-x", "@file", "", "[a]");

        (code, output).Should().Be((0, "<--key><--><--help><-x><@file><><[a]>"), error);
        (await _sandbox.RunAsync("run", "--key", "K")).Code.Should().Be(64);
        (await _sandbox.RunAsync("run", "--key", "K", "--")).Code.Should().Be(64);
    }

    private async Task AllFreeAsync() =>
        (await _sandbox.JsonAsync("status")).Json.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(2);
}
