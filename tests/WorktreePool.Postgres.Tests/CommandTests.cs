using System.Text.Json;
using System.Text.RegularExpressions;
using WorktreePool.Process.Tests;
using WorktreePool.Process.Tests.Documents;

namespace WorktreePool.Postgres.Tests;

/// <summary>The built command over a pool whose state is in PostgreSQL: two hosts, one repository each.</summary>
public sealed partial class CommandTests(PostgresServer server) : IAsyncLifetime
{
    private readonly Sandbox _a = new(), _b = new();
    private readonly string _pool = server.NewName();

    private string Place => server.ConnectAs(PostgresServer.Dispatcher);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Fact]
    public async Task Two_hosts_share_keys_and_each_sees_the_fleet()
    {
        await InitAsync(_a, "host-a");
        await InitAsync(_b, "host-b");
        (int code, JsonElement claimed) = await _a.JsonAsync("claim", "--key", "MC-1");
        code.Should().Be(0);
        (code, JsonElement refused) = await _b.JsonAsync("claim", "--key", "MC-1", "--no-wait");
        code.Should().Be(73);
        refused.GetProperty("message").GetString().Should().Contain("slot-0 on host-a");

        (code, JsonElement fleet) = await _b.JsonAsync("status", "--fleet");
        code.Should().Be(0);
        fleet.GetProperty("hosts").EnumerateArray().Select(host => (host.GetProperty("host").GetString(), host.GetProperty("free").GetInt32(), host.GetProperty("reachable").GetBoolean()))
            .Should().Equal(("host-a", 1, true), ("host-b", 2, true));
        fleet.GetProperty("placement").EnumerateArray().Select(host => host.GetString()).Should().Equal("host-b", "host-a");
        (_, string text, _) = await _a.RunAsync("status", "--fleet");
        text.Should().Contain("host-a").And.Contain("host-b").And.Contain("best place for a claim: host-b, host-a");

        // A host that is silent has no free slots.
        await server.ExecuteAsync($"UPDATE worktree_pool.host SET checked_in_at = now() - interval '1 hour' WHERE pool = '{_pool}' AND host = 'host-b'");
        (_, fleet) = await _a.JsonAsync("status", "--fleet");
        (fleet.GetProperty("free").GetInt32(), fleet.GetProperty("unreachable").GetInt32()).Should().Be((1, 2));
        (_, text, _) = await _a.RunAsync("status", "--fleet");
        text.Should().Contain("UNREACHABLE");
        (code, JsonElement removed) = await _a.JsonAsync("remove-host", "host-b");
        (code, removed.GetProperty("outcome").GetString()).Should().Be((0, "removed"));
        (code, _, string refusal) = await _a.RunAsync("remove-host", "host-b");
        code.Should().Be(70);
        refusal.Should().Contain("its hosts are host-a");

        (code, _, string error) = await _a.RunAsync("release", "--token", claimed.GetProperty("token").GetString()!);
        code.Should().Be(0, error);
    }

    [Fact]
    public async Task A_pool_moves_to_the_database_and_back_with_its_slots()
    {
        await _a.InitAsync(2);
        File.WriteAllText(Path.Combine(_a.Slot(0), "warm.log"), "kept by nobody\n");
        (int code, JsonElement held) = await _a.JsonAsync("claim", "--key", "MC-1");
        code.Should().Be(0);
        (code, _, string error) = await _a.RunAsync("migrate", "--to", "postgres", "--postgres", Place, "--postgres-pool", _pool);
        code.Should().Be(70, "slots in use do not move");
        error.Should().Contain("MC-1");
        (await _a.RunAsync("release", "--key", "MC-1")).Code.Should().Be(0);

        DateTime made = Directory.GetCreationTimeUtc(_a.Slot(0));
        (code, _, error) = await _a.RunAsync("migrate", "--to", "postgres", "--postgres", Place, "--postgres-pool", _pool);
        code.Should().Be(0, error);
        Directory.GetCreationTimeUtc(_a.Slot(0)).Should().Be(made);
        (_, JsonElement config) = await _a.JsonAsync("config");
        Value(config, "store").Should().Be("postgres");
        (code, JsonElement claimed) = await _a.JsonAsync("claim", "--key", "MC-2");
        code.Should().Be(0);
        claimed.GetProperty("healed").GetArrayLength().Should().Be(0);
        claimed.GetProperty("epoch").GetInt64().Should().BeGreaterThan(held.GetProperty("epoch").GetInt64());
        (_, string history, _) = await _a.RunAsync("history", "--key", "MC-1");
        history.Should().Contain("MC-1");

        // Whoever still uses the files is refused.
        (code, _, error) = await _a.RunAsync(new Invocation("claim", "--key", "MC-3") { Environment = new Dictionary<string, string?> { ["WORKTREE_POOL__STORE"] = "files" } });
        code.Should().Be(78);
        error.Should().Contain("moved to PostgreSQL");

        (await _a.RunAsync("release", "--key", "MC-2")).Code.Should().Be(0);
        (code, _, error) = await _a.RunAsync("migrate", "--to", "files");
        code.Should().Be(0, error);
        (await _a.RunAsync("claim", "--key", "MC-4")).Code.Should().Be(0);
        (await _a.RunAsync("migrate", "--to", "files")).Code.Should().Be(0, "it is there already");
    }

    [Fact]
    public async Task The_commands_of_the_document_make_a_pool_in_the_database_and_move_one_there_and_back()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The examples are for Linux.");
        await using var stage = new ExampleStage();
        await stage.Sandbox.InitAsync(1);
        File.CreateSymbolicLink(Path.Combine(stage.Sandbox.Root, "app"), stage.Sandbox.Repository);
        string[] blocks = [.. DocumentExample.Of("docs/fleet.md").Where(example => example.Language == "bash").Select(example => example.Code)];
        blocks.Should().HaveCount(2);
        foreach (string block in blocks)
        {
            await stage.RunBashAsync(Database().Replace(block, $"\"{Place}\""));
        }

        await stage.RunBashAsync("worktree-pool run --key MC-1 --pool pools/agents -- make test; worktree-pool run --key MC-2 -- make test");
        await stage.ShouldBeFreeAsync();
    }

    [Fact]
    public async Task A_password_comes_from_a_file_and_is_refused_anywhere_else()
    {
        const string Secret = "Password=hunter2";
        (int code, string text, string error) = await _a.RunAsync("init", "--repo", _a.Repository, "--store", "postgres", "--postgres", $"{Place};{Secret}");
        code.Should().Be(64);
        (text + error).Should().Contain("PGPASSFILE").And.NotContain("hunter2");
        Directory.Exists(_a.PoolDirectory).Should().BeFalse("nothing was changed");

        string asked = server.ConnectAs(PostgresServer.Asked);
        string file = Path.Combine(_a.Root, "pgpass");
        File.WriteAllText(file, $"*:*:*:{PostgresServer.Asked}:{PostgresServer.Password}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        string[] init = ["init", "--repo", _a.Repository, "--slots", "1", "--store", "postgres", "--postgres", asked, "--postgres-pool", _pool, "--postgres-operation-timeout", "5s"];
        (code, text, error) = await _a.RunAsync(init);
        code.Should().Be(70, "no password was given");
        error.Should().NotContain(PostgresServer.Password);
        var withFile = new Dictionary<string, string?> { ["PGPASSFILE"] = file };
        (code, _, error) = await _a.RunAsync(new Invocation(init) { Environment = withFile });
        code.Should().Be(0, error);
        (code, text, error) = await _a.RunAsync(new Invocation("config", "--verbose") { Environment = withFile });
        code.Should().Be(0, error);
        text.Should().Contain($"Username={PostgresServer.Asked}").And.NotContain(PostgresServer.Password);

        string settings = Path.Combine(_a.PoolDirectory, "pool.json");
        File.WriteAllText(settings, File.ReadAllText(settings).Replace("Username=", $"{Secret};Username=", StringComparison.Ordinal));
        (code, text, error) = await _a.RunAsync("config");
        code.Should().Be(78);
        (text + error).Should().Contain("password").And.NotContain("hunter2");
    }

    [Theory]
    [InlineData("--store", "oracle", "\"files\" or \"postgres\"")]
    [InlineData("--postgres", "what is this", "connection string")]
    [InlineData("--postgres-host-timeout", "soon", "duration")]
    public async Task A_wrong_setting_is_refused(string flag, string value, string says)
    {
        (int code, _, string error) = await _a.RunAsync("init", "--repo", _a.Repository, flag, value);
        code.Should().Be(64);
        error.Should().Contain(says);
    }

    [Fact]
    public async Task The_store_is_changed_by_migrate_only_and_must_be_reachable_by_its_settings()
    {
        await _a.InitAsync(1);
        (int code, _, string error) = await _a.RunAsync("init", "--repo", _a.Repository, "--slots", "1", "--store", "postgres", "--postgres", Place);
        code.Should().Be(78);
        error.Should().Contain("migrate --to postgres");
        (code, _, error) = await _b.RunAsync("init", "--repo", _b.Repository, "--store", "postgres");
        code.Should().Be(78);
        error.Should().Contain("postgres, which says how to reach the database, is not set");
        (code, _, error) = await _a.RunAsync("status", "--fleet");
        code.Should().Be(78);
        error.Should().Contain("on this machine");
    }

    [GeneratedRegex("\"Host=db;[^\"]*\"")]
    private static partial Regex Database();

    private async Task InitAsync(Sandbox sandbox, string host)
    {
        (int code, _, string error) = await sandbox.RunAsync(
            "init", "--repo", sandbox.Repository, "--slots", "2", "--host-name", host, "--store", "postgres", "--postgres", Place, "--postgres-pool", _pool);
        code.Should().Be(0, error);
    }

    private static string? Value(JsonElement config, string setting) =>
        config.GetProperty("settings").EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == setting).GetProperty("value").GetString();
}
