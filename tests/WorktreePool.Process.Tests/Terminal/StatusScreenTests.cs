namespace WorktreePool.Process.Tests.Terminal;

/// <summary>The status on a terminal, made by script(1), and where there is none.</summary>
public sealed class StatusScreenTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "script(1) is not here, so there is no terminal to test on.");
        await _sandbox.InitAsync(8);
        (await _sandbox.RunAsync("claim", "--key", "MC-4683", "--lease", "1ms")).Code.Should().Be(0);
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(200)]
    public async Task Fits_the_terminals_width_in_colour(int columns)
    {
        string output = await OnTerminalAsync(columns, "status");

        output.Should().Contain("\u001b[", "it is in colour").And.Contain("╭").And.ContainAll("MC-4683", "overdue", "slot-1 … 7", "worktree-pool maintain");
        Plain(output).Split('\n').Select(line => line.TrimEnd('\r').Length).Should().OnlyContain(length => length <= columns);
    }

    [Fact]
    public async Task Without_colours_where_they_are_not_wanted()
    {
        string output = await OnTerminalAsync(80, "status", ("NO_COLOR", "1"));

        output.Should().NotMatchRegex("\u001b\\[[0-9;]*m").And.Contain("╭");
    }

    [Fact]
    public async Task A_pipe_and_a_dumb_terminal_get_plain_text()
    {
        string piped = (await _sandbox.RunAsync("status")).Output;
        string dumb = await OnTerminalAsync(80, "status", ("TERM", "dumb"));

        foreach (string output in new[] { piped, dumb })
        {
            output.Should().NotContain("\u001b").And.NotContain("╭").And.ContainAll("MC-4683", "slot-1 … 7");
        }
    }

    [Fact]
    public async Task The_watch_has_a_screen_of_its_own_and_gives_the_terminal_back()
    {
        using System.Diagnostics.Process watch = _sandbox.Start(Terminal(80, "timeout --foreground -s INT 3 COMMAND status --watch"));
        string output = await watch.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);

        output.Should().Contain("\u001b[?1049h").And.Contain("MC-4683");
        output.TrimEnd().Should().EndWith("\u001b[?25h\u001b[?1049l");
    }

    private async Task<string> OnTerminalAsync(int columns, string arguments, params (string Name, string? Value)[] environment)
    {
        (int code, string output, string error) = await _sandbox.RunAsync(Terminal(columns, $"COMMAND {arguments}") with
        {
            Environment = new Dictionary<string, string?> { ["TERM"] = "xterm-256color", ["NO_COLOR"] = null }.Concat(environment.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)))
                .GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Last().Value),
        });
        code.Should().Be(0, output + error);
        return output;
    }

    /// <summary>A shell on a terminal of that width; in its script, COMMAND is the command.</summary>
    private static Invocation Terminal(int columns, string script) => new()
    {
        Wrapper = ["sh", "-c", $"exec script -qec \"stty cols {columns} rows 40; {script.Replace("COMMAND", "'$0'", StringComparison.Ordinal)}\" /dev/null"],
        Environment = new Dictionary<string, string?> { ["TERM"] = "xterm-256color", ["NO_COLOR"] = null },
    };

    private static string Plain(string text) => System.Text.RegularExpressions.Regex.Replace(text, "\u001b(\\[[0-9;?]*[a-zA-Z]|[=>])", "");
}
