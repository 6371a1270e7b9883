using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.Warm;

/// <summary>Warm slots with a real repository: the commit's own files decide, nothing of a step is taken for work, and nothing leaks.</summary>
public sealed class WarmSlotTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Log => Path.Combine(_sandbox.Root, "runs");

    public ValueTask InitializeAsync()
    {
        // Not ignored, so that only the pool's own knowledge keeps it from being taken for work.
        Push("echo one > lock; mkdir web; echo page > web/page");
        File.WriteAllText(Path.Combine(_sandbox.Repository, ".env"), "SECRET=1\n");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_step_runs_when_its_inputs_or_results_change_and_only_then()
    {
        IWorktreePool pool = Pool();
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1" }, Token);
        File.ReadAllText(Path.Combine(lease.Path, "modules", "one")).Should().Be("one\n");
        File.ReadAllText(Path.Combine(lease.Path, ".env")).Should().Be("SECRET=1\n");
        (await lease.ReleaseAsync(cancellationToken: Token)).Rescued.Should().BeEmpty("neither what a step made nor what was copied is work");
        File.Exists(Path.Combine(lease.Path, ".env")).Should().BeFalse();
        File.Exists(Path.Combine(lease.Path, "modules", "one")).Should().BeTrue();

        await using (await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token))
        {
            Runs().Should().Be(1);
        }

        Push("echo changed > web/page");
        await using (SlotLease moved = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Base = "origin/main" }, Token))
        {
            moved.Slot.Should().Be(lease.Slot);
            Runs().Should().Be(1, "the inputs are the same at the new commit");
        }

        Push("echo two > lock");
        await using (SlotLease moved = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token))
        {
            File.Exists(Path.Combine(moved.Path, "modules", "one")).Should().BeFalse("it starts from nothing");
            File.Exists(Path.Combine(moved.Path, "modules", "two")).Should().BeTrue();
            Runs().Should().Be(2);
            File.WriteAllText(Path.Combine(moved.Path, "modules", "planted"), "by a holder");
        }

        Directory.Exists(Path.Combine(lease.Path, "modules")).Should().BeFalse("a holder changed it");
        await using (SlotLease next = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token))
        {
            Runs().Should().Be(3);
            Directory.EnumerateFiles(Path.Combine(next.Path, "modules")).Should().ContainSingle();
        }
    }

    [Fact]
    public async Task Work_beside_what_a_step_made_is_rescued_and_that_alone()
    {
        IWorktreePool pool = Pool();
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        File.WriteAllText(Path.Combine(lease.Path, "work.txt"), "work\n");
        Directory.CreateDirectory(Path.Combine(lease.Path, "modules", "inner"));
        Sandbox.Git(Path.Combine(lease.Path, "modules", "inner"), "init", "-q");
        string rescue = (await lease.ReleaseAsync(cancellationToken: Token)).Rescued.Should().ContainSingle().Subject;
        Sandbox.Git(_sandbox.Repository, "diff", "--name-only", "origin/main", $"refs/worktree-pool/rescue/{rescue}").Should().Be("work.txt");
    }

    [Fact]
    public async Task A_step_that_changes_more_than_it_says_fails_and_the_slot_is_healed_later()
    {
        IWorktreePool pool = Pool("echo changed > web/page; mkdir other; echo x > other/x", slots: 1);
        ClaimResult refused = await pool.TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        refused.Refusal!.Message.Should().Contain("tree-differs (web/page)").And.Contain("untracked (other)").And.Contain("Makes");
        PoolSnapshot snapshot = await pool.GetSnapshotAsync(Token);
        snapshot.Slots[0].Record.Quarantine!.Reason.Should().Contain("other");
        IPoolOperator sound = _sandbox.Open(options => options.Slots = 1).GetRequiredKeyedService<IPoolOperator>("test");
        (await sound.ExamineAsync(fix: true, Token)).IsReady.Should().BeTrue();
        _sandbox.ShouldBeReady(0);
    }

    [Theory]
    [InlineData("--inputs")]
    [InlineData("makes")]
    public async Task A_wrong_step_is_refused_with_the_setting_and_changes_nothing(string wrong)
    {
        string step = wrong == "makes" ? """[{"name":"npm","command":["npm"],"makes":["node_modules"]}]""" : """[{"name":"npm","command":["npm"],"input":["/x"]}]""";
        (int code, _, string error) = await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--slots", "1", "--set-up", step);
        code.Should().BeOneOf(64, 78);
        error.Should().Contain(wrong == "makes" ? "Makes has \"node_modules\"" : "Did you mean \"inputs\"?");
        Directory.Exists(Path.Combine(_sandbox.PoolDirectory, "slots")).Should().BeFalse();
    }

    [Fact]
    public async Task The_command_keeps_steps_in_the_pools_file_and_shows_them()
    {
        string steps = $$"""[{"name":"modules","command":["/bin/sh","-c","mkdir modules; echo run >> {{Log}}"],"inputs":["/lock"],"makes":["/modules/"],"timeout":"20s"}]""";
        await _sandbox.InitAsync(1, "--set-up", steps, "--copy", "/.env");
        Runs().Should().Be(1, "a new pool's slots are warm");
        JsonElement config = (await _sandbox.JsonAsync("config")).Json;
        JsonElement setUp = config.GetProperty("settings").EnumerateArray().Single(setting => setting.GetProperty("name").GetString() == "setUp");
        setUp.GetProperty("value").GetString().Should().Contain("\"modules\"").And.Contain("\"timeout\":\"20s\"");
        setUp.GetProperty("source").GetString().Should().Be("pool.json");
        JsonDocument.Parse(File.ReadAllText(Path.Combine(_sandbox.PoolDirectory, "pool.json"))).RootElement.GetProperty("setUp").ValueKind.Should().Be(JsonValueKind.Array);
        (int code, JsonElement claim) = await _sandbox.JsonAsync("claim", "--key", "MC-1", "--lease", "1h");
        code.Should().Be(0);
        File.ReadAllText(Path.Combine(claim.GetProperty("path").GetString()!, ".env")).Should().Be("SECRET=1\n");
        (await _sandbox.JsonAsync("release", "--key", "MC-1")).Code.Should().Be(0);
        Runs().Should().Be(1);
    }

    [Fact]
    public async Task A_pool_that_is_only_found_from_the_current_directory_runs_no_steps()
    {
        await _sandbox.InitAsync(1, "--set-up", $$"""[{"name":"evil","command":["/bin/sh","-c","echo run >> {{Log}}"]}]""");
        File.Delete(Log);
        string clone = Path.Combine(_sandbox.Root, "clone");
        Directory.CreateDirectory(Path.Combine(clone, ".worktree-pool"));
        File.Copy(Path.Combine(_sandbox.PoolDirectory, "pool.json"), Path.Combine(clone, ".worktree-pool", "pool.json"));
        foreach (string[] command in new string[][] { ["claim", "--key", "MC-1"], ["maintain"], ["init", "--repo", _sandbox.Repository] })
        {
            (int code, _, string error) = await _sandbox.RunAsync(new Invocation(command) { WorkingDirectory = clone, Environment = new Dictionary<string, string?> { ["WORKTREE_POOL"] = null } });
            code.Should().Be(78);
            error.Should().Contain("name it");
        }

        File.Exists(Log).Should().BeFalse();
    }

    private IWorktreePool Pool(string more = ":", int slots = 2) => _sandbox.Pool(options =>
    {
        options.Slots = slots;
        options.Copy.Add("/.env");
        options.SetUp.Add(new SetUpStep
        {
            Name = "modules",
            Command = { "/bin/sh", "-c", $"mkdir modules; cp lock modules/$(cat lock); echo run >> {Log}; test -f .env; {more}" },
            Inputs = { "/lock" },
            Makes = { "/modules/" },
        });
    });

    private int Runs() => File.Exists(Log) ? File.ReadAllLines(Log).Length : 0;

    private void Push(string script)
    {
        string seed = Path.Combine(_sandbox.Root, "seed");
        using System.Diagnostics.Process shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-ec", script]) { WorkingDirectory = seed })!;
        shell.WaitForExit();
        Sandbox.Git(seed, "add", "-A");
        Sandbox.Git(seed, "commit", "-q", "-m", script);
        Sandbox.Git(seed, "push", "-q", Path.Combine(_sandbox.Root, "origin.git"), "main");
        Sandbox.Git(_sandbox.Repository, "fetch", "-q");
    }
}
