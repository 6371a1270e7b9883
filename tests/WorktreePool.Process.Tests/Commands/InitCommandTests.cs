using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

public sealed class InitCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Makes_ready_slots_and_says_what_it_made()
    {
        (int code, JsonElement json) = await _sandbox.JsonAsync("init", "--repo", _sandbox.Repository, "--slots", "3");

        code.Should().Be(0);
        json.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(3);
        for (int slot = 0; slot < 3; slot++)
        {
            _sandbox.ShouldBeReady(slot);
        }
    }

    [Fact]
    public async Task Repeated_with_the_same_values_or_with_none_it_changes_nothing()
    {
        string[] init = ["init", "--repo", _sandbox.Repository, "--slots", "2", "--claim-timeout", "20s", "--host-timeout", "1m", "--keep", "/.cache/"];
        (await _sandbox.RunAsync(init)).Code.Should().Be(0);
        var before = DirectoryTree.Read(_sandbox.Root);

        (await _sandbox.RunAsync(init)).Code.Should().Be(0);
        before.ShouldBeUnchanged("everything is as asked for");
        (await _sandbox.RunAsync("init", "--repo", _sandbox.Repository)).Code.Should().Be(0);
        before.ShouldBeUnchanged("what is not given stays");
    }

    [Fact]
    public async Task What_the_environment_says_is_not_written_into_the_pool()
    {
        await _sandbox.InitAsync(1, "--claim-timeout", "20s");
        var before = DirectoryTree.Read(_sandbox.Root);

        (int code, _, string error) = await _sandbox.RunAsync(new Invocation("init", "--repo", _sandbox.Repository)
        {
            Environment = new Dictionary<string, string?> { ["WORKTREE_POOL__CLAIMTIMEOUT"] = "5s", ["WORKTREE_POOL__RELEASEMODE"] = "discard" },
        });

        code.Should().Be(0, error);
        before.ShouldBeUnchanged("the environment's values are its own");
    }

    [Fact]
    public async Task Resizes_both_ways_and_never_removes_a_leased_slot()
    {
        await _sandbox.InitAsync(1);
        await _sandbox.InitAsync(4);
        _sandbox.ShouldBeReady(3);
        foreach (string key in new[] { "A", "B", "C" })
        {
            (await _sandbox.RunAsync("claim", "--key", key)).Code.Should().Be(0);
        }

        (await _sandbox.RunAsync("release", "--key", "B")).Code.Should().Be(0);
        File.WriteAllText(Path.Combine(_sandbox.Slot(2), "work.txt"), "C's work");
        (int code, string output, string error) = await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--slots", "1");

        code.Should().Be(70, "C's slot could not go");
        error.Should().Contain("1 of the slots beyond 1 are in use");
        output.Should().Contain("slot-2");
        Directory.Exists(_sandbox.Slot(3)).Should().BeFalse();
        Directory.Exists(_sandbox.Slot(1)).Should().BeFalse();
        File.ReadAllText(Path.Combine(_sandbox.Slot(2), "work.txt")).Should().Be("C's work");
        Sandbox.Git(_sandbox.Slot(0), "rev-parse", "HEAD").Should().Be(_sandbox.Base, "A's slot is within the number");

        (await _sandbox.RunAsync("release", "--key", "C")).Code.Should().Be(0);
        await _sandbox.InitAsync(1);
        Directory.Exists(_sandbox.Slot(2)).Should().BeFalse();
        Sandbox.Git(_sandbox.Repository, "worktree", "list").Split('\n').Should().HaveCount(2, "the repository's own and slot-0");
    }

    [Fact]
    public async Task Slots_can_lie_elsewhere_and_the_base_can_be_another()
    {
        Sandbox.Git(_sandbox.Repository, "branch", "stable");
        string slots = Path.Combine(_sandbox.Root, "elsewhere");

        await _sandbox.InitAsync(1, "--slots-dir", "elsewhere", "--base", "stable");

        Sandbox.Git(Path.Combine(slots, "slot-0"), "rev-parse", "HEAD").Should().Be(Sandbox.Git(_sandbox.Repository, "rev-parse", "stable"));
        (await _sandbox.JsonAsync("status")).Json.GetProperty("base").GetProperty("ref").GetString().Should().Be("refs/heads/stable");
    }

    [Fact]
    public async Task What_is_kept_survives_a_release()
    {
        await _sandbox.InitAsync(1, "--keep", "/.cache/");
        (await _sandbox.RunAsync("run", "--key", "K", "--discard", "--", "sh", "-c", "mkdir .cache && echo warm > .cache/x && echo gone > y")).Code.Should().Be(0);

        File.ReadAllText(Path.Combine(_sandbox.Slot(0), ".cache", "x")).Should().Be("warm\n");
        File.Exists(Path.Combine(_sandbox.Slot(0), "y")).Should().BeFalse();
    }
}
