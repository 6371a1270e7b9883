using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>A claim that is cancelled or out of time gives its slot back, and a git that hangs is waited for no longer than allowed.</summary>
public sealed class CancellationTests : RuntimeTest
{
    [Theory]
    [InlineData(GitVerb.Probe)]
    [InlineData(GitVerb.Rescue)]
    [InlineData(GitVerb.Repair)]
    [InlineData(GitVerb.StartBranch)]
    public async Task A_cancelled_claim_gives_its_slot_back_wherever_it_was(GitVerb where)
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        Machine.Slot(0).Write("work.txt");
        var gate = new GitGate();
        Git.At(where, 1).WaitAt(gate);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<SlotLease> claim = process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1" }, cancel.Token).AsTask();
        await gate.Reached.WaitAsync(Token);

        await cancel.CancelAsync();

        await claim.Awaiting(c => c).Should().ThrowAsync<OperationCanceledException>();
        SlotRecord record = await Machine.RecordAsync(0);
        record.State.Should().Be(SlotState.Free, "nobody works on it any more");
        record.Lease.Should().BeNull("its key is free");
        record.Commit.Should().BeNull("it is not known to be ready");
        (await ClaimAsync(Machine.Start(), "MC-1", "cr/mc-1")).Commit.Should().Be(Machine.Base);
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_claim_cancelled_while_the_store_hands_its_slot_over_leaves_no_lease_that_nobody_knows_of()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var shared = new InMemorySlotStateStore();
        await using var machine = new FakeMachine(useStore: pool => pool.UseStore((_, _) => new LateStore(shared, cancel.Cancel)));
        FakeProcess process = machine.Start(options => options.Slots = 1);

        Func<Task> claim = () => process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(8)) }, cancel.Token).AsTask();

        await claim.Should().ThrowAsync<OperationCanceledException>();
        (await machine.RecordAsync(0)).Should().Match<SlotRecord>(record => record.State == SlotState.Free && record.Lease == null);
        (await ClaimAsync(machine.Start(options => options.Slots = 1), "MC-1", "cr/mc-1")).Commit.Should().Be(machine.Base);
    }

    [Theory]
    [InlineData(GitVerb.Probe)]
    [InlineData(GitVerb.Repair)]
    public async Task A_claim_whose_git_hangs_ends_at_its_deadline_and_the_next_one_succeeds(GitVerb where)
    {
        FakeProcess process = Machine.Start(options => options.ClaimTimeout = TimeSpan.FromSeconds(10));
        await process.Pool.MaintainAsync(Token);
        Machine.Slot(0).Damage(FindingIds.TreeDiffers);
        Git.At(where, 1).Hang();
        Task<SlotLease> claim = process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask();

        Machine.Time.Advance(TimeSpan.FromSeconds(9.9));
        claim.IsCompleted.Should().BeFalse();
        Machine.Time.Advance(TimeSpan.FromSeconds(0.1));

        ClaimRefusal refusal = (await claim.Awaiting(c => c.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().ThrowAsync<SlotUnavailableException>()).Which.Refusal;
        refusal.Reason.Should().Be(RefusalReason.Timeout);
        refusal.Message.Should().Contain("10 s").And.Contain("ClaimTimeout");
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Free);
        await ClaimAsync(process, "MC-1");
    }

    [Fact]
    public async Task A_claims_own_wait_never_outlasts_the_pools_timeout_under_a_host_that_kills()
    {
        FakeProcess process = Machine.Start(options => (options.Slots, options.ClaimTimeout, options.HostTaskTimeout) = (1, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)));
        await ClaimAsync(process, "MC-1");
        Task<SlotLease> claim = process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-2", Wait = TimeSpan.FromHours(1) }, Token).AsTask();

        Machine.Time.Advance(TimeSpan.FromSeconds(10));

        await claim.Awaiting(c => c.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().ThrowAsync<SlotUnavailableException>();
    }

    [Fact]
    public async Task A_release_whose_git_hangs_ends_at_its_deadline_and_the_next_claim_takes_the_slot_over()
    {
        FakeProcess process = Machine.Start(options => (options.Slots, options.ReleaseTimeout) = (1, TimeSpan.FromSeconds(10)));
        SlotLease lease = await ClaimAsync(process, "MC-1", "cr/mc-1");
        Machine.Slot(0).Write("work.txt");
        Git.At(GitVerb.Repair, 1).Hang();
        Task<ReleaseReport> release = lease.ReleaseAsync(cancellationToken: Token).AsTask();

        Machine.Time.Advance(TimeSpan.FromSeconds(10));

        (await release.Awaiting(r => r.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().ThrowAsync<ReleaseIncompleteException>())
            .Which.Message.Should().Contain("slot-0").And.Contain("ReleaseTimeout");
        SlotLease next = await ClaimAsync(process, "MC-2");
        next.Slot.Should().Be("slot-0");
        CallsOn(0, GitVerb.Evict).Should().NotBeEmpty("the hung git may still run");
        Git.Find("refs/heads/cr/mc-1").Should().BeNull();
        (await Git.Rescues.ListAsync(Token)).Should().ContainSingle("its work was kept once, and the debris of the half-done release is none");
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_release_cancelled_before_it_began_can_be_repeated()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");

        await lease.Awaiting(l => l.ReleaseAsync(cancellationToken: new CancellationToken(true)).AsTask()).Should().ThrowAsync<OperationCanceledException>();
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Leased, "cancellation ends waiting, never ownership");
        await lease.DisposeAsync();

        await Machine.ShouldBeReadyAsync(0);
    }

    [Theory]
    [InlineData(GitVerb.Probe)]
    [InlineData(GitVerb.Repair)]
    public async Task A_claim_whose_git_hears_no_cancellation_ends_all_the_same_and_gives_its_slot_back_when_that_returns(GitVerb where)
    {
        FakeProcess process = Machine.Start(options => (options.Slots, options.ClaimTimeout) = (1, TimeSpan.FromSeconds(10)));
        await process.Pool.MaintainAsync(Token);
        Machine.Slot(0).Damage(FindingIds.TreeDiffers);
        var gate = new GitGate();
        Git.At(where, 1).StallAt(gate);
        Task<SlotLease> claim = process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask();
        await gate.Reached.WaitAsync(Token);

        Machine.Time.Advance(TimeSpan.FromSeconds(10.25));

        ClaimRefusal refusal = (await claim.Awaiting(c => c.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().ThrowAsync<SlotUnavailableException>()).Which.Refusal;
        refusal.Reason.Should().Be(RefusalReason.Timeout);
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Preparing, "what does not return still works on it");
        (await RefusalAsync(process, "MC-2")).Should().NotBeNull("nobody else may touch the slot");

        gate.Open();
        Task<SlotLease> next = ClaimAsync(process, "MC-2");
        await UntilAsync(() => next.IsCompleted);
        (await next).Slot.Should().Be("slot-0", "the lease that nobody knows of was given back");
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_release_whose_git_hears_no_cancellation_ends_all_the_same_and_nobody_has_the_slot_before_that_returns()
    {
        FakeProcess process = Machine.Start(options => (options.Slots, options.ReleaseTimeout) = (1, TimeSpan.FromSeconds(10)));
        SlotLease lease = await ClaimAsync(process, "MC-1");
        Machine.Slot(0).Write("work.txt");
        var gate = new GitGate();
        Git.At(GitVerb.Repair, 1).StallAt(gate);
        Task<ReleaseReport> release = lease.ReleaseAsync(cancellationToken: Token).AsTask();
        await gate.Reached.WaitAsync(Token);

        Machine.Time.Advance(TimeSpan.FromSeconds(10.25));

        (await release.Awaiting(r => r.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().ThrowAsync<ReleaseIncompleteException>()).Which.Message.Should().Contain("ReleaseTimeout");
        (await RefusalAsync(process, "MC-2")).Should().NotBeNull("it is still worked on");

        gate.Open();
        Task<SlotLease> next = ClaimAsync(process, "MC-2");
        await UntilAsync(() => next.IsCompleted);
        (await next).Slot.Should().Be("slot-0");
        (await Git.Rescues.ListAsync(Token)).Should().ContainSingle("its work was kept");
        Git.Violations.Should().BeEmpty();
    }
}
