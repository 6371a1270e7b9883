namespace WorktreePool.Process.Tests.Terminal;

/// <summary>The live view, the progress bars and the pager, with a person at the keyboard.</summary>
public sealed class WatchTests : IAsyncLifetime
{
    private const string Enter = "\u001b[?1049h", ShowCursor = "\u001b[?25h", Leave = "\u001b[?1049l";

    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Terminal.IsHere, "script(1) is not here, so there is no terminal to test on.");
        await _sandbox.InitAsync(2);
        (await _sandbox.RunAsync("claim", "--key", "MC-4683")).Code.Should().Be(0);
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [InlineData("q")]
    [InlineData("\u0003")]
    public async Task A_key_or_an_interrupt_ends_the_watch_and_the_terminal_is_as_it_was(string keys)
    {
        using var terminal = Terminal.Start(_sandbox, 80, 24, "COMMAND status --watch; echo code $?; stty -a | grep -o ' -\\?echo '");
        await terminal.WhenSeenAsync(seen => seen.Contains("q ends", StringComparison.Ordinal));

        await terminal.TypeAsync(keys);
        await terminal.EndAsync();

        string after = terminal.Seen[terminal.Seen.LastIndexOf(Leave, StringComparison.Ordinal)..];
        terminal.Seen.Should().Contain(Enter).And.Contain(ShowCursor + Leave);
        after.Should().Contain("code 0").And.Contain(" echo ", "keys are seen again").And.NotContain(" -echo ");
    }

    [Fact]
    public async Task A_terminal_that_changes_its_size_is_drawn_anew_within_it()
    {
        string go = Path.Combine(_sandbox.Root, "go");
        using var terminal = Terminal.Start(_sandbox, 120, 30, $"(while [ ! -e {go} ]; do sleep 0.05; done; stty cols 62 rows 14 < /dev/tty) & COMMAND status --watch");
        await terminal.WhenSeenAsync(seen => seen.Contains("q ends", StringComparison.Ordinal));
        int before = terminal.Seen.Length;

        File.WriteAllText(go, "");
        await terminal.WhenSeenAsync(seen => Frames(seen[before..]).Any(frame => frame.Contains("about", StringComparison.Ordinal)));
        await terminal.TypeAsync("q");
        (await terminal.EndAsync()).Should().Be(0);

        string small = Frames(terminal.Seen[before..]).First(frame => frame.Contains("about", StringComparison.Ordinal));
        string[] lines = [.. small.Split('\n').Select(line => line.TrimEnd('\r'))];
        lines.Length.Should().BeLessThanOrEqualTo(14);
        lines.Should().OnlyContain(line => line.Length <= 62);
    }

    [Fact]
    public async Task Long_work_shows_a_bar_on_a_terminal_and_nothing_elsewhere()
    {
        string init = $"init --repo {_sandbox.Repository}";
        (int code, string output, _) = await _sandbox.RunAsync(Terminal.Invocation(100, 30, $"COMMAND {init} --slots 4 2>&1 >/dev/null"));
        code.Should().Be(0, output);
        Terminal.Plain(output).Should().MatchRegex("preparing").And.MatchRegex("[0-4]/4");
        output.Should().Contain("\u001b[?25h", "the cursor is back");

        (code, _, string error) = await _sandbox.RunAsync([.. init.Split(' '), "--slots", "5"]);
        (code, error).Should().Be((0, ""));
        Terminal.Plain((await _sandbox.RunAsync(Terminal.Invocation(100, 30, $"COMMAND {init} --slots 4 --json >/dev/null"))).Output).Should().BeEmpty("tools read that");
    }

    [Fact]
    public async Task A_history_that_does_not_fit_is_paged_by_less_which_may_run_nothing()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/less") || File.Exists("/bin/less"), "less is not here.");
        for (int i = 0; i < 2; i++)
        {
            (await _sandbox.RunAsync("run", "--key", "K", "--", "true")).Code.Should().Be(0);
        }

        string planted = Path.Combine(_sandbox.Root, "planted");
        Sandbox.Git(_sandbox.Repository, "config", "core.pager", $"touch {planted}");
        using (var terminal = Terminal.Start(_sandbox, 80, 4, $"PAGER='touch {planted}' GIT_PAGER='touch {planted}' LESSOPEN='|touch {planted}' COMMAND history; echo code $?"))
        {
            await terminal.WhenSeenAsync(seen => Terminal.Plain(seen).TrimEnd().EndsWith(':'));
            terminal.Text.Should().NotContain("provisioned", "that is on a later page");
            await terminal.TypeAsync("q");
            await terminal.EndAsync();
            terminal.Text.Should().Contain("code 0");
        }

        (await _sandbox.RunAsync(Terminal.Invocation(80, 4, "COMMAND history --no-pager"))).Output.Should().Contain("provisioned");
        File.Exists(planted).Should().BeFalse("no pager but less is run, and less runs nothing");
    }

    private static string[] Frames(string seen) => [.. seen.Split("\u001b[H").Skip(1).Select(Terminal.Plain)];
}
