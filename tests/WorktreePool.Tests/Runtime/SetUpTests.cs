using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>Set-up steps run when they must and only then, whatever happens between.</summary>
public sealed class SetUpTests : RuntimeTest
{
    [Fact]
    public async Task A_step_runs_once_and_survives_release()
    {
        FakeProcess process = Start();
        await (await ClaimAsync(process, "MC-1")).ReleaseAsync(cancellationToken: Token);
        await (await ClaimAsync(process, "MC-1")).ReleaseAsync(cancellationToken: Token);
        Runs(0).Should().Equal("npm", "build");
        Machine.Slot(0).Made.Should().Equal("build", "npm");
    }

    [Fact]
    public async Task The_keeper_sets_up_ahead_of_claims()
    {
        FakeProcess process = Start();
        await process.Pool.MaintainAsync(Token);
        Runs(0).Should().Equal("npm", "build");
        await process.Pool.MaintainAsync(Token);
        await ClaimAsync(process, "MC-1");
        Runs(0).Should().Equal("npm", "build");
        Runs(1).Should().Equal("npm", "build");
    }

    [Fact]
    public async Task What_a_holder_changed_is_removed_at_release_and_made_anew_for_the_next()
    {
        FakeProcess process = Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");
        Machine.Slot(0).Change("npm");
        await lease.ReleaseAsync(cancellationToken: Token);
        Machine.Slot(0).Made.Should().BeEmpty("build rests on npm");
        (await Machine.RecordAsync(0)).SetUp.Should().BeNull();
        await ClaimAsync(process, "MC-1");
        Runs(0).Should().Equal("npm", "build", "npm", "build");
    }

    [Fact]
    public async Task A_later_step_alone_can_be_stale()
    {
        FakeProcess process = Start();
        await (await ClaimAsync(process, "MC-1")).ReleaseAsync(cancellationToken: Token);
        Git.SetInput("build", "changed");
        await ClaimAsync(process, "MC-1");
        Runs(0).Should().Equal("npm", "build", "build");
    }

    [Fact]
    public async Task A_change_between_lease_and_claim_is_found_by_the_claim()
    {
        FakeProcess process = Start();
        await (await ClaimAsync(process, "MC-1")).ReleaseAsync(cancellationToken: Token);
        Machine.Slot(0).Change("build");
        await ClaimAsync(process, "MC-1");
        Runs(0).Should().Equal("npm", "build", "build");
    }

    [Fact]
    public async Task A_failing_step_sets_the_slot_aside_and_the_claim_goes_on()
    {
        FakeProcess process = Start();
        Git.At(GitVerb.SetUp, 1).Fail(() => new SetUpFailedException("set-up step \"npm\" failed: ENOSPC"));
        SlotLease lease = await ClaimAsync(process, "MC-1");
        lease.Slot.Should().Be("slot-1");
        SlotRecord broken = await Machine.RecordAsync(0);
        broken.State.Should().Be(SlotState.Quarantined);
        broken.Quarantine!.Reason.Should().Contain("ENOSPC");
        broken.SetUp.Should().BeNull("nothing unfinished passes for finished");
    }

    [Fact]
    public async Task A_step_that_fails_on_the_claims_own_commit_costs_no_slot()
    {
        FakeProcess process = Start();
        string own = Git.NewCommit(Machine.Base);
        Git.At(GitVerb.SetUp).Fail(() => new SetUpFailedException("the lock file is broken"));
        Func<Task> claim = () => process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Base = own }, Token).AsTask();
        (await claim.Should().ThrowAsync<SetUpFailedException>()).Which.Message.Should().Contain("the lock file is broken").And.Contain("given back");
        (await Machine.StateAsync()).Slots.Should().NotContain(slot => slot.State == SlotState.Quarantined || slot.Lease != null);
        Git.ClearScripts();
        (await ClaimAsync(process, "MC-1")).Slot.Should().Be("slot-0");
    }

    [Fact]
    public async Task A_process_killed_in_the_middle_of_a_step_leaves_nothing_that_counts()
    {
        var gate = new GitGate();
        Git.At(GitVerb.SetUp, 2).WaitAt(gate);
        FakeProcess dying = Start();
        Task<SlotLease> claim = dying.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask();
        await gate.Reached.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await Machine.KillAsync(dying);
        FakeProcess next = Start();
        SlotLease lease = await ClaimAsync(next, "MC-1");
        lease.Slot.Should().Be("slot-0");
        Runs(0).Should().Equal("npm", "build", "npm", "build");
        gate.Open();
        await ((Func<Task>)(() => claim)).Should().ThrowAsync<Exception>("its process is dead");
    }

    [Fact]
    public async Task A_step_that_hangs_ends_with_the_claims_time_and_nothing_leaks()
    {
        FakeProcess process = Start();
        var gate = new GitGate();
        Git.At(GitVerb.SetUp, 1).WaitAt(gate);
        Task<SlotLease> claim = process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask();
        await gate.Reached.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Machine.Time.Advance(TimeSpan.FromSeconds(120));
        await ((Func<Task>)(() => claim)).Should().ThrowAsync<SlotUnavailableException>();
        Git.ClearScripts();
        (await ClaimAsync(process, "MC-1")).Slot.Should().Be("slot-0");
        Runs(0).Should().Equal("npm", "npm", "build");
    }

    [Fact]
    public async Task Copied_files_are_there_for_the_holder_and_for_steps_and_never_rescued()
    {
        FakeProcess process = Start(options => options.Copy.Add("/.env"));
        SlotLease lease = await ClaimAsync(process, "MC-1");
        Machine.Slot(0).Files.Should().Equal("/.env");
        (await Machine.RecordAsync(0)).SetUp!.Copied.Should().Equal("/.env");
        ReleaseReport report = await lease.ReleaseAsync(cancellationToken: Token);
        report.Rescued.Should().BeEmpty();
        await Machine.ShouldBeReadyAsync(0);
        (await Machine.RecordAsync(0)).SetUp!.Copied.Should().BeEmpty();

        // Once for the steps and once for each holder.
        Git.Calls.Count(call => call.Verb == GitVerb.Copy).Should().Be(2);
        await ClaimAsync(process, "MC-2");
        Git.Calls.Count(call => call.Verb == GitVerb.Copy).Should().Be(3);
    }

    [Fact]
    public async Task The_copies_of_a_dead_holder_are_no_work()
    {
        FakeProcess dying = Start(options => options.Copy.Add("/.env"));
        await ClaimAsync(dying, "MC-1");
        await Machine.KillAsync(dying);
        FakeProcess next = Start(options => options.Copy.Add("/.env"));
        SlotLease lease = await ClaimAsync(next, "MC-1");
        lease.Rescued.Should().BeEmpty();
        Machine.Slot(0).Files.Should().Equal("/.env");
    }

    [Fact]
    public async Task A_file_that_cannot_be_copied_fails_the_claim_and_gives_the_slot_back()
    {
        FakeProcess process = Start(options => options.Copy.Add("/.env"));
        await process.Pool.MaintainAsync(Token);
        Git.At(GitVerb.Copy, 1).Fail(() => new SetUpFailedException("there is no .env"));
        await ((Func<Task>)(() => ClaimAsync(process, "MC-1"))).Should().ThrowAsync<SetUpFailedException>();
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Free);
        await ClaimAsync(process, "MC-1");
        await ClaimAsync(process, "MC-2");
    }

    [Fact]
    public async Task Without_steps_nothing_is_asked_and_nothing_recorded()
    {
        FakeProcess process = Machine.Start();
        await (await ClaimAsync(process, "MC-1")).ReleaseAsync(cancellationToken: Token);
        (await Machine.RecordAsync(0)).SetUp.Should().BeNull();
        Git.Calls.Should().NotContain(call => call.Verb == GitVerb.SetUp || call.Verb == GitVerb.Copy);
    }

    [Fact]
    public async Task Steps_taken_out_of_the_settings_are_forgotten()
    {
        await (await ClaimAsync(Start(), "MC-1")).ReleaseAsync(cancellationToken: Token);
        await (await ClaimAsync(Machine.Start(), "MC-1")).ReleaseAsync(cancellationToken: Token);
        (await Machine.RecordAsync(0)).SetUp.Should().BeNull();
    }

    [Fact]
    public async Task A_pool_that_cannot_run_steps_refuses_to_start()
    {
        var services = new ServiceCollection();
        services.AddWorktreePool("p", options =>
        {
            (options.RepositoryPath, options.PoolDirectory) = ("/nowhere/repository", "/nowhere/pool");
            options.Copy.Add("/.env");
        }).UseBackend((_, _) => Git).UseInMemory();
        await using ServiceProvider provider = services.BuildServiceProvider();
        ((Action)(() => provider.GetRequiredKeyedService<IWorktreePool>("p"))).Should().Throw<PoolConfigurationException>().WithMessage("*UseSetUpRunner*");
    }

    private FakeProcess Start(Action<WorktreePoolOptions>? configure = null) => Machine.Start(options =>
    {
        foreach (string name in new[] { "npm", "build" })
        {
            options.SetUp.Add(new SetUpStep { Name = name, Timeout = TimeSpan.FromSeconds(20), Command = { name }, Makes = { $"/{name}/" } });
        }

        configure?.Invoke(options);
    });

    private IEnumerable<string> Runs(int slot) => CallsOn(slot, GitVerb.SetUp);
}
