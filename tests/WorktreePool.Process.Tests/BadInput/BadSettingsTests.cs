namespace WorktreePool.Process.Tests.BadInput;

/// <summary>pool.json, environment and pool directories that are wrong.</summary>
public sealed class BadSettingsTests(Sandbox sandbox) : IClassFixture<Sandbox>
{
    [Theory]
    [InlineData("""{ "repositoryPath": "REPO", "claimTimeot": "30s" }""", "claimTimeot|\"claimTimeout\"")]
    [InlineData("""{ "repositoryPath": "REPO", "hostTimeout": "30s" }""", "hostTimeout|\"hostTaskTimeout\"")]
    [InlineData("""{ "repositoryPath": "REPO", "slot": 3 }""", "\"slot\"|\"slots\"")]
    [InlineData("""{ "repositoryPath": "REPO", "slots": 3, "slots": 4 }""", "slots")]
    [InlineData("""{ "repositoryPath": "REPO", "slots": 3, "Slots": 4 }""", "\"Slots\" twice")]
    [InlineData("""{ "repositoryPath": "REPO", "slots": 2.5 }""", "slots|no whole number")]
    [InlineData("""{ "repositoryPath": "REPO", "slots": null }""", "slots")]
    [InlineData("""{ "repositoryPath": "REPO", "slots": 0 }""", "Slots is 0|1 to 1000")]
    [InlineData("""{ "repositoryPath": "REPO", "claimTimeout": "soon" }""", "claimTimeout is \"soon\" (from |pool.json)|no duration|500ms")]
    [InlineData("""{ "repositoryPath": "REPO", "claimTimeout": 30 }""", "claimTimeout|\"30\"|no duration")]
    [InlineData("""{ "repositoryPath": "REPO", "claimTimeout": "0s" }""", "ClaimTimeout|more than zero")]
    [InlineData("""{ "repositoryPath": "REPO", "claimTimeout": "10m", "hostTaskTimeout": "180s" }""", "ClaimTimeout is 600 s (from |HostTaskTimeout is 180 s (from |pool.json)")]
    [InlineData("""{ "repositoryPath": "REPO", "claimTimeout": "100s", "releaseTimeout": "90s", "hostTaskTimeout": "180s" }""", "ClaimTimeout is 100 s|ReleaseTimeout is 90 s|HostTaskTimeout is 180 s|middle of a release")]
    [InlineData("""{ "repositoryPath": "REPO", "batchParallelism": 65 }""", "BatchParallelism is 65|1 to 64")]
    [InlineData("""{ "repositoryPath": "REPO", "releaseMode": "burn" }""", "releaseMode|\"burn\"|discard")]
    [InlineData("""{ "repositoryPath": "REPO", "keep": [1] }""", "pool.json")]
    [InlineData("""{ "repositoryPath": "REPO", "keep": "cache" }""", "\"cache\"|anchored")]
    [InlineData("""{ "slots": 2 }""", "RepositoryPath")]
    [InlineData("""{ "repositoryPath": "REPO", """, "no valid settings file")]
    [InlineData("", "no valid settings file")]
    [InlineData("[]", "no valid settings file")]
    public async Task A_wrong_pool_json(string content, string words)
    {
        Directory.CreateDirectory(sandbox.PoolDirectory);
        await File.WriteAllTextAsync(Path.Combine(sandbox.PoolDirectory, "pool.json"), content.Replace("REPO", sandbox.Repository, StringComparison.Ordinal), TestContext.Current.CancellationToken);

        await sandbox.ShouldRefuseAsync(78, words, "config");
        File.Delete(Path.Combine(sandbox.PoolDirectory, "pool.json"));
    }

    [Theory]
    [InlineData("claim", "--key", "K")]
    [InlineData("run", "--key", "K", "--", "true")]
    [InlineData("status")]
    [InlineData("maintain")]
    [InlineData("history")]
    [InlineData("init", "--repo", "REPO")]
    public async Task Every_command_reads_them(params string[] command)
    {
        Directory.CreateDirectory(sandbox.PoolDirectory);
        await File.WriteAllTextAsync(Path.Combine(sandbox.PoolDirectory, "pool.json"), """{ "keeep": [] }""", TestContext.Current.CancellationToken);

        await sandbox.ShouldRefuseAsync(78, "keeep|\"keep\"", [.. command.Select(word => word.Replace("REPO", sandbox.Repository, StringComparison.Ordinal))]);
        File.Delete(Path.Combine(sandbox.PoolDirectory, "pool.json"));
    }

    [Theory]
    [InlineData("WORKTREE_POOL__CLAIMTIMEOT", "30s", "WORKTREE_POOL__CLAIMTIMEOT|\"claimTimeout\"")]
    [InlineData("WORKTREE_POOL__", "x", "WORKTREE_POOL__")]
    [InlineData("WORKTREE_POOL__CLAIMTIMEOUT", "soon", "claimTimeout is \"soon\" (from environment WORKTREE_POOL__CLAIMTIMEOUT)")]
    [InlineData("WORKTREE_POOL__CLAIMTIMEOUT", "0s", "ClaimTimeout is 0 s (from environment WORKTREE_POOL__CLAIMTIMEOUT)")]
    [InlineData("WORKTREE_POOL__CLAIMTIMEOUT", "", "claimTimeout")]
    [InlineData("WORKTREE_POOL__SLOTS", "many", "slots|\"many\"")]
    [InlineData("WORKTREE_POOL__SLOTS", "0", "Slots is 0")]
    public Task A_wrong_variable(string name, string value, string words) => sandbox.ShouldRefuseAsync(
        78, words, new Invocation("init", "--repo", sandbox.Repository) { Environment = new Dictionary<string, string?> { [name] = value } });

    [Theory]
    [InlineData("status")]
    [InlineData("claim", "--key", "K")]
    [InlineData("doctor")]
    [InlineData("config")]
    public async Task A_directory_without_a_pool(params string[] arguments)
    {
        string nowhere = Path.Combine(sandbox.Root, "nowhere");
        await sandbox.ShouldRefuseAsync(78, $"no pool in {nowhere}|worktree-pool init", ["--pool", nowhere, .. arguments]);
    }

    [Fact]
    public Task No_pool_named_and_none_upward() => sandbox.ShouldRefuseAsync(
        64, "No pool is named|--pool", new Invocation("status") { Environment = new Dictionary<string, string?> { ["WORKTREE_POOL"] = null } });
}
