using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests;

/// <summary>The outage of 3 June, part by part, against real repositories.</summary>
public sealed class SeedIncidentTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Release_leaves_the_slot_detached_at_base_and_clean(bool withWorker)
    {
        IWorktreePool pool = _sandbox.Pool();
        var request = new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1", Owner = withWorker ? null : LeaseOwner.ForDuration(TimeSpan.FromHours(1)) };
        SlotLease lease = await pool.ClaimAsync(request, Token);
        Sandbox.Git(lease.Path, "symbolic-ref", "--short", "HEAD").Should().Be("cr/mc-1");
        File.WriteAllText(Path.Combine(lease.Path, "new.txt"), "work");
        File.WriteAllText(Path.Combine(lease.Path, "debug.log"), "ignored");
        Sandbox.Git(lease.Path, "add", "new.txt");
        Sandbox.Git(lease.Path, "commit", "-q", "-m", "work");
        File.AppendAllText(Path.Combine(lease.Path, "README.md"), "more");

        ReleaseReport report = await lease.ReleaseAsync(cancellationToken: Token);

        _sandbox.ShouldBeReady(0);
        Sandbox.Git(_sandbox.Repository, "branch", "--list", "cr/*").Should().BeEmpty();
        report.Rescued.Should().ContainSingle();
        Sandbox.Git(_sandbox.Repository, "show", $"refs/worktree-pool/rescue/{report.Rescued[0]}:README.md").Should().Be("one\nmore");
    }

    [Fact]
    public async Task A_slot_of_a_dead_owner_is_cleaned_too()
    {
        (await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--slots", "1")).Code.Should().Be(0);
        using (System.Diagnostics.Process holder = _sandbox.Start("run", "--key", "MC-1", "--branch", "cr/mc-1", "--", "sh", "-c", "echo work > w.txt; echo up; sleep 60"))
        {
            (await holder.StandardOutput.ReadLineAsync(Token)).Should().Be("up");
            holder.Kill(entireProcessTree: true);
            await holder.WaitForExitAsync(Token);
        }

        (int code, _, string error) = await _sandbox.RunAsync("maintain");

        code.Should().Be(0, error);
        _sandbox.ShouldBeReady(0);
        Sandbox.Git(_sandbox.Repository, "branch", "--list", "cr/*").Should().BeEmpty();
        (await _sandbox.JsonAsync("rescue", "list")).Json.GetProperty("rescues").GetArrayLength().Should().Be(1);
    }

    [Fact]
    public async Task A_slot_recorded_free_on_a_stale_branch_is_healed_by_the_claim()
    {
        IWorktreePool pool = _sandbox.Pool(options => options.Slots = 1);
        await pool.MaintainAsync(Token);
        Sandbox.Git(_sandbox.Slot(0), "checkout", "-q", "-b", "slot1/mc-MC-4634");
        File.WriteAllText(Path.Combine(_sandbox.Slot(0), "scratch.txt"), "left");
        File.WriteAllText(Path.Combine(Sandbox.Git(_sandbox.Slot(0), "rev-parse", "--absolute-git-dir"), "index.lock"), "");

        ClaimResult result = await pool.TryClaimAsync(new ClaimRequest { Key = "MC-4683" }, Token);

        result.Lease!.Healed.Should().Contain([FindingIds.OnBranch, FindingIds.Untracked, FindingIds.LockStale]);
        result.Lease.Rescued.Should().ContainSingle();
        _sandbox.ShouldBeReady(0);
        Sandbox.Git(_sandbox.Repository, "branch", "--list", "slot1/*").Should().Contain("slot1/mc-MC-4634", "a branch the pool did not make is its user's");
    }

    [Fact]
    public async Task With_all_slots_held_a_claim_is_refused_at_its_timeout_with_counts()
    {
        IWorktreePool pool = _sandbox.Pool(options => (options.Slots, options.ClaimTimeout) = (1, TimeSpan.FromSeconds(2)));
        await pool.MaintainAsync(Token);
        await using SlotLease held = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);

        var watch = Stopwatch.StartNew();
        Func<Task> claim = async () => await pool.ClaimAsync(new ClaimRequest { Key = "MC-2" }, Token);

        ClaimRefusal refusal = (await claim.Should().ThrowAsync<SlotUnavailableException>()).Which.Refusal;
        watch.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(1.9)).And.BeLessThan(TimeSpan.FromSeconds(2.5));
        refusal.Reason.Should().Be(RefusalReason.Timeout);
        refusal.Counts.Should().Be(new PoolCounts(1, 0, 1, 0, 0, 0, 0));
        refusal.Holder!.Key.Should().Be("MC-1");
    }

    [Fact]
    public async Task A_claim_timeout_not_below_the_host_timeout_is_a_configuration_error_that_names_both()
    {
        (int code, JsonElement json) = await _sandbox.JsonAsync("init", "--repo", _sandbox.Repository, "--claim-timeout", "10m", "--host-timeout", "180s");

        code.Should().Be(78);
        json.GetProperty("message").GetString().Should().Contain("ClaimTimeout").And.Contain("HostTaskTimeout");
        Directory.Exists(_sandbox.PoolDirectory).Should().BeFalse();
    }

    [Fact]
    public async Task A_setting_that_nothing_reads_is_an_error()
    {
        (await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--slots", "1")).Code.Should().Be(0);
        string settings = Path.Combine(_sandbox.PoolDirectory, "pool.json");
        await File.WriteAllTextAsync(settings, (await File.ReadAllTextAsync(settings, Token)).Replace("\"slots\"", "\"claimTimeot\": \"30s\", \"slots\"", StringComparison.Ordinal), Token);

        (int code, JsonElement json) = await _sandbox.JsonAsync("claim", "--key", "MC-1");

        code.Should().Be(78);
        json.GetProperty("message").GetString().Should().Contain("claimTimeot").And.Contain("claimTimeout");
    }

    [Fact]
    public async Task Of_five_keys_three_are_claimed_and_two_are_named_at_once()
    {
        (await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--slots", "3")).Code.Should().Be(0);

        (int code, string output, _) = await _sandbox.RunAsync("claim-many", "--key", "A", "--key", "B", "--key", "C", "--key", "D", "--key", "E", "--json");

        List<JsonElement> lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        lines.Select(line => line.GetProperty("key").GetString()).Should().Equal("A", "B", "C", "D", "E");
        lines.Select(line => line.GetProperty("outcome").GetString()).Should().Equal("claimed", "claimed", "claimed", "refused", "refused");
        lines[3].GetProperty("reason").GetString().Should().Be("exhausted");
        lines[4].GetProperty("counts").GetProperty("leased").GetInt32().Should().Be(3);
        code.Should().Be(75);
    }

    [Fact]
    public async Task The_same_key_from_two_processes_is_one_lease()
    {
        (await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--slots", "2")).Code.Should().Be(0);

        (int Code, JsonElement Json)[] claims = await Task.WhenAll(_sandbox.JsonAsync("claim", "--key", "MC-1"), _sandbox.JsonAsync("claim", "--key", "MC-1"));

        claims.Select(claim => claim.Code).Should().BeEquivalentTo([0, 73]);
        claims.Single(claim => claim.Code == 73).Json.GetProperty("reason").GetString().Should().Be("keyHeld");
    }

    [Fact]
    public async Task A_slow_checkout_of_one_slot_does_not_delay_the_claim_of_another()
    {
        string gate = Path.Combine(_sandbox.Root, "gate"), reached = Path.Combine(_sandbox.Root, "reached");
        File.WriteAllText(Path.Combine(_sandbox.Root, "seed", "model.bin"), "weights\n");
        File.WriteAllText(Path.Combine(_sandbox.Root, "seed", ".gitattributes"), "*.bin filter=slow\n");
        Sandbox.Git(Path.Combine(_sandbox.Root, "seed"), "add", "-A");
        Sandbox.Git(Path.Combine(_sandbox.Root, "seed"), "commit", "-q", "-m", "model");
        Sandbox.Git(Path.Combine(_sandbox.Root, "seed"), "push", "-q", Path.Combine(_sandbox.Root, "origin.git"), "main");
        Sandbox.Git(_sandbox.Repository, "config", "filter.slow.smudge", $"if [ -e '{gate}' ]; then touch '{reached}'; while [ -e '{gate}' ]; do sleep 0.05; done; fi; cat");
        Sandbox.Git(_sandbox.Repository, "config", "filter.slow.clean", "cat");
        Sandbox.Git(_sandbox.Repository, "pull", "-q");
        IWorktreePool pool = _sandbox.Pool();
        await pool.MaintainAsync(Token);
        File.Delete(Path.Combine(_sandbox.Slot(0), "model.bin"));
        await File.WriteAllTextAsync(gate, "", Token);

        Task<SlotLease> slow = pool.ClaimAsync(new ClaimRequest { Key = "SLOW" }, Token).AsTask();
        using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10)))
        {
            while (!File.Exists(reached) && await timer.WaitForNextTickAsync(Token))
            {
            }
        }

        await using SlotLease fast = await pool.ClaimAsync(new ClaimRequest { Key = "FAST" }, Token);
        fast.Slot.Should().Be("slot-1");
        slow.IsCompleted.Should().BeFalse("the filter still holds its checkout");
        File.Delete(gate);
        await using SlotLease late = await slow;
        late.Slot.Should().Be("slot-0");
    }
}
