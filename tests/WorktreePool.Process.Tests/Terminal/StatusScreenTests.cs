namespace WorktreePool.Process.Tests.Terminal;

/// <summary>The status on a terminal, made by script(1), and where there is none.</summary>
public sealed class StatusScreenTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Terminal.IsHere, "script(1) is not here, so there is no terminal to test on.");
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
        Terminal.Plain(output).Split('\n').Select(line => line.TrimEnd('\r').Length).Should().OnlyContain(length => length <= columns);
    }

    [Fact]
    public async Task Where_a_table_has_no_room_a_slot_is_a_line_and_what_is_said_of_it_follows()
    {
        string output = Terminal.Plain(await OnTerminalAsync(40, "status"));

        output.Should().NotContain("│").And.MatchRegex("slot-0  leased, overdue  MC-4683\\s*\n  [0-9]+ s, ran out").And.ContainAll("slot-1 … 7  free", "worktree-pool maintain");
        output.Split('\n').Select(line => line.TrimEnd('\r').Length).Should().OnlyContain(length => length <= 40);
    }

    [Fact]
    public async Task The_doctor_and_the_history_break_lines_between_words()
    {
        File.WriteAllText(Path.Combine(_sandbox.Slot(3), "left.txt"), "left");
        foreach (string command in new[] { "doctor", "history --no-pager" })
        {
            Invocation invocation = Terminal.Invocation(70, 40, $"COMMAND {command} 2>/dev/null");
            string output = Terminal.Plain((await _sandbox.RunAsync(invocation)).Output);

            string[] lines = [.. output.Split('\n').Select(line => line.TrimEnd('\r'))];
            lines.Should().OnlyContain(line => line.Length <= 70, command);
            lines.Should().Contain(line => line.Length > 5, command);
        }

        (await _sandbox.RunAsync("doctor")).Output.Split('\n').Should().Contain(line => line.Length > 70, "a file gets whole lines");
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

    private async Task<string> OnTerminalAsync(int columns, string arguments, params (string Name, string? Value)[] environment)
    {
        Invocation invocation = Terminal.Invocation(columns, 40, $"COMMAND {arguments}");
        (int code, string output, string error) = await _sandbox.RunAsync(invocation with
        {
            Environment = invocation.Environment.Concat(environment.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Last().Value),
        });
        code.Should().Be(0, output + error);
        return output;
    }
}
