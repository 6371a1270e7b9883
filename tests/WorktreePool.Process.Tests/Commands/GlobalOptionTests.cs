using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>--pool, --json and --verbose on either side of the command's name; how the pool is found; help and version.</summary>
public sealed class GlobalOptionTests(SharedPool pool) : IClassFixture<SharedPool>
{
    private readonly Sandbox _sandbox = pool.Sandbox;

    private static Invocation Nowhere(params string[] arguments) => new(arguments) { Environment = new Dictionary<string, string?> { ["WORKTREE_POOL"] = null } };

    [Fact]
    public async Task Before_and_after_the_commands_name()
    {
        string pool = _sandbox.PoolDirectory;
        foreach (string[] arguments in new string[][]
        {
            ["--pool", pool, "--json", "--verbose", "status"], ["status", "--pool", pool, "--json", "--verbose"], ["--json", "status", "--pool", pool],
            ["--pool", pool, "rescue", "list", "--json"], ["rescue", "--json", "--pool", pool, "list"], [$"--pool={pool}", "history", "--json"],
        })
        {
            (int code, string output, string error) = await _sandbox.RunAsync(Nowhere(arguments));
            code.Should().Be(0, error);
            JsonDocument.Parse(output).RootElement.ValueKind.Should().Be(JsonValueKind.Object);
            error.Should().BeEmpty();
        }
    }

    [Fact]
    public async Task The_flag_counts_before_the_variable_before_the_nearest_directory_upward()
    {
        string deep = Path.Combine(_sandbox.Root, "project", "src", "deep");
        Directory.CreateDirectory(deep);
        string near = Path.Combine(_sandbox.Root, "project", ".worktree-pool");
        (await _sandbox.RunAsync(Nowhere("init", "--repo", "../repo", "--slots", "1") with { WorkingDirectory = Path.Combine(_sandbox.Root, "project") })).Code.Should().Be(0);
        Directory.Exists(near).Should().BeTrue("init without a name makes it in the current directory");

        (await PoolOfAsync(Nowhere("config") with { WorkingDirectory = deep })).Should().Be(near);
        (await PoolOfAsync(new Invocation("config") { WorkingDirectory = deep })).Should().Be(_sandbox.PoolDirectory);
        (await PoolOfAsync(new Invocation("config", "--pool", "../../.worktree-pool") { WorkingDirectory = deep })).Should().Be(near);
    }

    [Fact]
    public async Task Verbose_adds_details_of_an_error_to_standard_error()
    {
        (int code, string output, string error) = await _sandbox.RunAsync("claim", "--key", "", "--verbose");
        code.Should().Be(64);
        output.Should().BeEmpty();
        error.Should().StartWith("worktree-pool: The key is empty").And.Contain("   at ");
        (await _sandbox.RunAsync("claim", "--key", "")).Error.Should().NotContain("   at ");
    }

    [Fact]
    public async Task Every_command_has_help_and_there_is_a_version()
    {
        (int code, string output, _) = await _sandbox.RunAsync(Nowhere("--help"));
        code.Should().Be(0);
        foreach (string command in new[]
        {
            "init", "claim", "claim-many", "attach", "renew", "release", "run", "status", "doctor", "maintain", "pause", "resume", "rescue", "history", "config", "trust", "demo",
        })
        {
            output.Should().MatchRegex($@"\n  {command}[ \n]");
        }

        (await _sandbox.RunAsync(Nowhere("run", "--help"))).Output.Should().Contain("--key");
        (await _sandbox.RunAsync(Nowhere("--version"))).Output.Should().MatchRegex(@"^\d+\.\d+\.\d+");
    }

    private async Task<string> PoolOfAsync(Invocation invocation)
    {
        (int code, JsonElement json) = await _sandbox.JsonAsync(invocation);
        code.Should().Be(0, json.ToString());
        return json.GetProperty("pool").GetString()!;
    }
}
