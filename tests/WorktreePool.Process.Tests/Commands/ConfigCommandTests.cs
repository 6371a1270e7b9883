using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

public sealed class ConfigCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(1, "--claim-timeout", "20s", "--release-timeout", "40s", "--keep", "/a/", "--keep", "/b");

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Each_value_comes_with_its_source_flag_before_environment_before_file_before_default()
    {
        var environment = new Dictionary<string, string?> { ["WORKTREE_POOL__RELEASETIMEOUT"] = "50s", ["WORKTREE_POOL__Claim_Timeout"] = "25s", ["WORKTREE_POOL__SLOTS"] = "7" };

        (int code, JsonElement json) = await _sandbox.JsonAsync(new Invocation("config", "--claim-timeout", "30s", "--release-mode", "discard") { Environment = environment });

        code.Should().Be(0);
        Dictionary<string, string> settings = json.GetProperty("settings").EnumerateArray().ToDictionary(
            setting => setting.GetProperty("name").GetString()!, setting => $"{setting.GetProperty("value").GetString()} ({setting.GetProperty("source").GetString()})");
        settings["claimTimeout"].Should().Be("30s (flag)");
        settings["releaseMode"].Should().Be("discard (flag)");
        settings["releaseTimeout"].Should().Be("50s (environment WORKTREE_POOL__RELEASETIMEOUT)");
        settings["slots"].Should().Be("7 (environment WORKTREE_POOL__SLOTS)");
        settings["keep"].Should().Be("/a/\n/b (pool.json)");
        settings["repositoryPath"].Should().Be($"{_sandbox.Repository} (pool.json)");
        settings["leaseDuration"].Should().Be("8h (default)");
        settings["hostTaskTimeout"].Should().Be(" (default)");
        json.GetProperty("pool").GetString().Should().Be(_sandbox.PoolDirectory);
    }

    [Fact]
    public async Task What_is_printed_is_what_runs()
    {
        (await _sandbox.RunAsync("claim", "--key", "A")).Code.Should().Be(0);
        var environment = new Dictionary<string, string?> { ["WORKTREE_POOL__CLAIMTIMEOUT"] = "300ms" };

        (int code, JsonElement json) = await _sandbox.JsonAsync(new Invocation("claim", "--key", "B") { Environment = environment });

        code.Should().Be(75);
        json.GetProperty("message").GetString().Should().Contain("within 0.3 s");
        (code, json) = await _sandbox.JsonAsync(new Invocation("claim", "--key", "B", "--claim-timeout", "400ms") { Environment = environment });
        json.GetProperty("message").GetString().Should().Contain("within 0.4 s");
    }

    [Theory]
    [InlineData("hh:mm:ss", "00:00:30", "30s")]
    [InlineData("milliseconds", "1500ms", "1500ms")]
    [InlineData("a fraction", "0.5m", "30s")]
    [InlineData("hours", "2h", "2h")]
    public async Task Durations_are_read_as_documented(string form, string written, string shown) =>
        (await _sandbox.RunAsync("config", "--lease-duration", written)).Output.Should().MatchRegex($"leaseDuration +{shown} +flag", form);
}
