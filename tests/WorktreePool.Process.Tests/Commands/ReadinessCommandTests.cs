using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>doctor where there is no pool yet.</summary>
public sealed class ReadinessCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_repository_without_a_pool_is_examined_and_nothing_is_changed()
    {
        string before = string.Join('\n', Files());

        (int code, JsonElement json) = await _sandbox.JsonAsync(new Invocation("doctor") { WorkingDirectory = Path.Combine(_sandbox.Repository, ".git", "refs"), Environment = new Dictionary<string, string?> { ["WORKTREE_POOL"] = null } });

        code.Should().Be(0, json.ToString());
        (json.GetProperty("ready").GetBoolean(), json.GetProperty("repository").GetString(), json.GetProperty("slots").GetInt32()).Should().Be((true, _sandbox.Repository, 4));
        Dictionary<string, string> checks = Checks(json);
        checks.Keys.Should().Contain(["git-version", "repository", "git-extensions", "base", "file-system", "disk-space", "inodes", "inotify-instances", "inotify-watches"]);
        checks["base"].Should().Be("ready: refs/remotes/origin/main: 2 files in 0 directories, 8 KiB on disk for each slot");
        string.Join('\n', Files()).Should().Be(before);
        (await _sandbox.RunAsync("doctor", "--repo", _sandbox.Repository)).Output.Should().Contain("is ready for a pool of 4 slots: worktree-pool init --repo");
    }

    [Fact]
    public async Task What_is_missing_fails_and_says_what_to_do()
    {
        (int code, JsonElement json) = await _sandbox.JsonAsync("doctor", "--repo", _sandbox.Root);
        (code, json.GetProperty("ready").GetBoolean()).Should().Be((1, false));
        Checks(json)["repository"].Should().StartWith("fails: ").And.Contain("no git repository");

        (code, json) = await _sandbox.JsonAsync("doctor", "--repo", _sandbox.Repository, "--base", "nowhere");
        (code, Checks(json)["base"]).Should().Be((1, "fails: nowhere names no commit here"));

        (code, json) = await _sandbox.JsonAsync("doctor", "--repo", _sandbox.Repository, "--slots", "2000000000");
        code.Should().Be(1);
        Checks(json)["disk-space"].Should().StartWith("fails: ");

        (code, json) = await _sandbox.JsonAsync(new Invocation("doctor", "--repo", _sandbox.Repository) { Environment = new Dictionary<string, string?> { ["PATH"] = "/nonexistent" } });
        (code, Checks(json)["git-version"]).Should().Be((1, "fails: there is no git on the PATH"));
    }

    [Fact]
    public async Task What_costs_something_is_said_and_is_no_failure()
    {
        Sandbox.Git(_sandbox.Repository, "config", "core.repositoryFormatVersion", "1");
        Sandbox.Git(_sandbox.Repository, "config", "extensions.preciousObjects", "true");

        (int code, JsonElement json) = await _sandbox.JsonAsync("doctor", "--repo", _sandbox.Repository, "--slots-dir", "/dev/shm/none-such");

        code.Should().Be(0, json.ToString());
        Checks(json)["git-extensions"].Should().StartWith("warns: preciousobjects true (objects are never deleted");
        Checks(json)["file-system"].Should().StartWith("warns: /dev/shm is on tmpfs");
    }

    [Fact]
    public async Task A_fix_needs_a_pool()
    {
        (int code, _, string error) = await _sandbox.RunAsync("doctor", "--repo", _sandbox.Repository, "--fix");
        (code, error).Should().Match<(int Code, string Error)>(answer => answer.Code == 64 && answer.Error.Contains("worktree-pool init", StringComparison.Ordinal));
        (await _sandbox.RunAsync("doctor", "--repo", _sandbox.Repository, "--slots", "0")).Code.Should().Be(64);
    }

    private static Dictionary<string, string> Checks(JsonElement json) =>
        json.GetProperty("checks").EnumerateArray().ToDictionary(check => check.GetProperty("id").GetString()!, check => $"{check.GetProperty("verdict").GetString()}: {check.GetProperty("detail").GetString()}");

    private IEnumerable<string> Files() =>
        new DirectoryInfo(_sandbox.Root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Select(file => $"{file.FullName} {file.LastWriteTimeUtc:O}").Order(StringComparer.Ordinal);
}
