using System.CommandLine;
using System.Text.RegularExpressions;
using WorktreePool.Cli.Commands;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>Help, examples and version.</summary>
public sealed partial class HelpTests(Sandbox sandbox) : IClassFixture<Sandbox>
{
    public static TheoryData<string> Names => [.. Leaves(App.Root())];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_command_has_examples_that_parse_and_options_that_are_explained(string name)
    {
        IReadOnlyList<Example> examples = Examples.Of(name);
        examples.Should().NotBeEmpty();
        foreach (string line in examples.Select(example => Shell().Replace(example.Line, "")))
        {
            ParseResult parsed = App.Root().Parse(line.Replace("$$", "4711", StringComparison.Ordinal)["worktree-pool ".Length..]);
            parsed.Errors.Should().BeEmpty(line);
            string.Join(' ', Misuse.Path(parsed.CommandResult)).Should().Be(name);
        }

        App.Root().Parse(name).CommandResult.Command.Options.Where(option => !option.Hidden && string.IsNullOrEmpty(option.Description)).Select(option => option.Name).Should().BeEmpty();
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("claim", "--help")]
    [InlineData("rescue", "show", "--help")]
    public async Task Help_ends_with_examples_even_where_an_option_is_required(params string[] line)
    {
        (int code, string output, string error) = await sandbox.RunAsync(line);

        (code, error).Should().Be((0, ""));
        output.Should().MatchRegex("Usage:[\\s\\S]*Examples:\n  # .*\n  worktree-pool ");
    }

    [Fact]
    public async Task The_version_names_the_commit() =>
        (await sandbox.RunAsync("--version")).Output.Should().MatchRegex(@"^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?(\+[0-9a-f]{40})?\n$");

    [Fact]
    public async Task An_error_is_one_line_and_its_detail_comes_with_verbose()
    {
        string[] line = ["doctor", "--pool", Path.Combine(sandbox.Root, "none")];
        (await sandbox.RunAsync(line)).Error.Should().MatchRegex("^worktree-pool: [^\n]+\n$");
        (await sandbox.RunAsync([.. line, "--verbose"])).Error.Should().Contain("PoolConfigurationException").And.Contain("   at ");
    }

    private static IEnumerable<string> Leaves(Command command, string path = "") => command.Subcommands.SelectMany(sub => sub.Subcommands.Count > 0 ? Leaves(sub, $"{path}{sub.Name} ") : [path + sub.Name]);

    /// <summary>What in an example is the shell's: redirections, pipes, substitutions, the background.</summary>
    [GeneratedRegex(@"^source <\(|\)$| [|<&].*$")]
    private static partial Regex Shell();
}
