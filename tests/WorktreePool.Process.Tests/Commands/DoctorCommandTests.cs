using System.Text.Json;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>doctor: words, report, and a slot that is taken from its holder.</summary>
public sealed class DoctorCommandTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private string Reports => Path.Combine(_sandbox.PoolDirectory, "reports");

    public async ValueTask InitializeAsync()
    {
        await _sandbox.InitAsync(2);
        File.WriteAllText(Path.Combine(_sandbox.Slot(1), "left.txt"), "left");
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task Says_the_id_the_evidence_what_it_means_and_what_a_fix_does()
    {
        (int code, string output, _) = await _sandbox.RunAsync("doctor");

        code.Should().Be(1);
        output.Should().ContainAll("slot-0: ready", "slot-1: NOT READY", "untracked: ", "left.txt", "not tracked", "--fix: keeps them first");
        Directory.Exists(Reports).Should().BeFalse("looking leaves nothing");
    }

    [Fact]
    public async Task Drift_of_the_repository_is_told_by_status_too_until_it_is_trusted()
    {
        (await _sandbox.RunAsync("status")).Output.Should().NotContain("trusted");
        Sandbox.Git(_sandbox.Repository, "config", "core.pager", "evil");

        (await _sandbox.RunAsync("status")).Output.Should().ContainAll("not as it was trusted: config-drift", "worktree-pool doctor", "worktree-pool trust");
        JsonElement found = (await _sandbox.JsonAsync("status")).Json.GetProperty("repository").GetProperty("findings")[0];
        found.GetProperty("id").GetString().Should().Be("config-drift");
        found.GetProperty("detail").GetString().Should().StartWith("config has changed");
        (await _sandbox.RunAsync("doctor")).Output.Should().Contain("config-drift: config has changed");

        (await _sandbox.RunAsync("trust")).Code.Should().Be(0);
        (await _sandbox.RunAsync("status")).Output.Should().NotContain("trusted");
        (await _sandbox.JsonAsync("status")).Json.GetProperty("repository").GetProperty("findings").GetArrayLength().Should().Be(0);
    }

    [Fact]
    public async Task A_tracking_ref_that_keeps_git_from_fetching_is_told()
    {
        string origin = Path.Combine(_sandbox.Root, "origin.git");
        Sandbox.Git(origin, "update-ref", "refs/heads/release", "HEAD");
        Sandbox.Git(_sandbox.Repository, "fetch", "-q");
        Sandbox.Git(origin, "update-ref", "-d", "refs/heads/release");
        Sandbox.Git(origin, "update-ref", "refs/heads/release/1", "HEAD");

        (await _sandbox.RunAsync("doctor")).Output.Should().ContainAll("refs-drift: refs/remotes/origin/release stand", "git remote prune origin");

        Directory.Move(origin, origin + ".away");
        (await _sandbox.RunAsync("doctor")).Output.Should().Contain("repository: nothing found", "a remote that is away is no damage");
    }

    [Fact]
    public async Task A_fix_leaves_a_report_of_what_was_found()
    {
        (int code, string output, _) = await _sandbox.RunAsync("doctor", "--fix");

        code.Should().Be(0);
        string report = Directory.GetFiles(Reports).Should().ContainSingle().Which;
        output.Should().Contain(report).And.Contain("slot-1: fixed");
        JsonElement slot = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken)).RootElement.GetProperty("slots")[1];
        slot.GetProperty("fixed").GetBoolean().Should().BeTrue();
        slot.GetProperty("findings")[0].GetProperty("meaning").GetString().Should().Contain("not tracked");
        (await _sandbox.RunAsync("doctor", "--fix")).Code.Should().Be(0);
        Directory.GetFiles(Reports).Should().ContainSingle("a pool in which nothing was found needs no report");
    }

    [Fact]
    public async Task One_that_cannot_be_healed_says_why_and_what_is_next()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "It takes /proc to see who works in a slot.");
        using System.Diagnostics.Process worker = _sandbox.Start(new Invocation { Wrapper = ["sh", "-c", "echo up; exec sleep 300"], WorkingDirectory = _sandbox.Slot(1) });
        (await worker.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("up");

        (int code, string output, _) = await _sandbox.RunAsync("doctor", "--fix", "--leftover-processes", "fail");
        code.Should().Be(1);
        output.Should().ContainAll("slot-1: NOT READY", $"  set aside: process-left: sleep ({worker.Id})", "Failed once", "-> 1 of 2 slots is not ready in spite of the fix: remove the cause");
        JsonElement slot = (await _sandbox.JsonAsync("doctor")).Json.GetProperty("slots")[1];
        slot.GetProperty("state").GetString().Should().Be("quarantined");
        slot.GetProperty("quarantine").GetProperty("reason").GetString().Should().Contain($"sleep ({worker.Id})");

        worker.Kill();
        await worker.WaitForExitAsync(TestContext.Current.CancellationToken);
        (await _sandbox.RunAsync("doctor")).Output.Should().Contain("-> 1 of 2 slots is not ready. To heal, keeping work: worktree-pool doctor --fix");
        (code, output, _) = await _sandbox.RunAsync("doctor", "--fix");
        code.Should().Be(0);
        output.Should().ContainAll("slot-1: fixed", "-> What was found in the fixed slots is kept: worktree-pool rescue list").And.NotContain("set aside");
        (await _sandbox.RunAsync("rescue", "list")).Output.Should().MatchRegex("slot-1 .* heal\n");
    }

    [Fact]
    public async Task Slots_that_need_nobodys_eye_are_one_line_and_a_held_one_names_its_key()
    {
        (await _sandbox.RunAsync("init", "--slots", "7", "--repo", _sandbox.Repository)).Code.Should().Be(0);
        (await _sandbox.RunAsync("claim", "--key", "MC-1")).Code.Should().Be(0);
        (await _sandbox.RunAsync("claim", "--key", "MC-2")).Code.Should().Be(0);

        string[] lines = (await _sandbox.RunAsync("doctor")).Output.Split('\n');

        lines.Should().HaveCount(5);
        lines[0].Should().MatchRegex("^slot-0: leased [0-9]+ s ago for MC-[12], not examined$");
        lines[2..].Should().Equal("slot-2 … 6: ready (5 slots)", "repository: nothing found", "");
    }

    [Fact]
    public async Task A_held_slot_is_taken_only_when_it_is_named_and_its_work_is_kept()
    {
        (await _sandbox.RunAsync("claim", "--key", "K")).Code.Should().Be(0);
        File.WriteAllText(Path.Combine(_sandbox.Slot(0), "work.txt"), "work");
        (await _sandbox.RunAsync("doctor", "--force-slot", "slot-0")).Code.Should().Be(64, "only a fix touches anything");
        (int code, string output, string error) = await _sandbox.RunAsync("doctor", "--fix", "--force-slot", "slot-9");
        (code, error).Should().Be((64, "worktree-pool: --force-slot: the pool has no slot \"slot-9\". It has slot-0 … 1.\n"));

        (code, output, _) = await _sandbox.RunAsync("doctor", "--fix", "--force-slot", "slot-0");
        code.Should().Be(0);
        output.Should().MatchRegex("^slot-0: taken from K; its work is kept: slot-0-[0-9a-f]+\n");

        _sandbox.ShouldBeReady(0);
        JsonElement kept = (await _sandbox.JsonAsync("rescue", "list")).Json.GetProperty("rescues");
        kept.EnumerateArray().Select(rescue => rescue.GetProperty("key").GetString()).Should().Contain("K");
    }
}
