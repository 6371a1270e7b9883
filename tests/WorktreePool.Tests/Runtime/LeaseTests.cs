using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>What keeps a lease alive, what ends it, and that a former holder harms nobody.</summary>
public sealed class LeaseTests : RuntimeTest
{
    [Fact]
    public async Task The_slot_of_a_dead_owner_goes_to_the_next_claim_at_once_with_its_work_kept()
    {
        FakeProcess dying = Machine.Start(options => options.Slots = 1), next = Machine.Start(options => options.Slots = 1);
        await ClaimAsync(dying, "MC-1", "cr/mc-1");
        Machine.Slot(0).Write("work.txt");
        await Machine.KillAsync(dying);

        SlotLease lease = await ClaimAsync(next, "MC-2");

        lease.Slot.Should().Be("slot-0");
        lease.Epoch.Should().Be(2);
        lease.Rescued.Should().ContainSingle();
        (await Git.Rescues.ListAsync(Token)).Single().Files.Should().Be(1);
        Git.Find("refs/heads/cr/mc-1").Should().BeNull();
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_dead_owners_key_can_be_claimed_again_at_once()
    {
        FakeProcess dying = Machine.Start(), next = Machine.Start();
        await ClaimAsync(dying, "MC-1", "cr/mc-1");
        await Machine.KillAsync(dying);

        (await ClaimAsync(next, "MC-1", "cr/mc-1")).Epoch.Should().Be(2);
    }

    [Fact]
    public async Task A_lease_outlives_its_dispatcher_when_a_worker_owns_it_and_not_the_worker()
    {
        FakeProcess dispatcher = Machine.Start(options => options.Slots = 1), next = Machine.Start(options => options.Slots = 1);
        SlotLease lease = await ClaimAsync(dispatcher, "MC-1");
        await lease.TransferAsync(LeaseOwner.ForProcess(Machine.StartWorker(77)), Token);
        await Machine.KillAsync(dispatcher);
        (await RefusalAsync(next, "MC-2")).Reason.Should().Be(RefusalReason.Exhausted);

        Machine.KillWorker(77);

        (await ClaimAsync(next, "MC-2")).Slot.Should().Be("slot-0");
    }

    [Fact]
    public async Task A_pid_used_again_is_another_process()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        ProcessIdentity worker = Machine.StartWorker(77);
        await ClaimAsync(process, "MC-1", owner: LeaseOwner.ForProcess(worker with { StartTime = 1 }));

        (await ClaimAsync(process, "MC-2")).Slot.Should().Be("slot-0");
    }

    [Fact]
    public async Task The_former_holder_of_an_expired_lease_is_told_and_refused()
    {
        FakeProcess first = Machine.Start(options => options.Slots = 1), second = Machine.Start(options => options.Slots = 1);
        SlotLease former = await ClaimAsync(first, "MC-1", owner: LeaseOwner.ForDuration(TimeSpan.FromMinutes(10)));
        Machine.Slot(0).Write("work.txt");
        Machine.Time.Advance(TimeSpan.FromMinutes(10));
        SlotLease present = await ClaimAsync(second, "MC-2");

        await LostAsync(former);
        (await former.Awaiting(lease => lease.RenewAsync(Token).AsTask()).Should().ThrowAsync<LeaseLostException>()).Which.Message.Should().Contain("slot-0").And.Contain("MC-1");
        await former.Awaiting(lease => lease.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        await former.DisposeAsync();

        (await Machine.RecordAsync(0)).Epoch.Should().Be(present.Epoch);
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Leased);
        present.LostToken.IsCancellationRequested.Should().BeFalse();
        (await Git.Rescues.ListAsync(Token)).Should().ContainSingle();
    }

    [Fact]
    public async Task A_holder_that_checks_in_keeps_its_lease()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        SlotLease lease = await ClaimAsync(process, "MC-1", owner: LeaseOwner.ForDuration(TimeSpan.FromMinutes(10)));
        Machine.Time.Advance(TimeSpan.FromMinutes(9));
        await lease.RenewAsync(Token);
        Machine.Time.Advance(TimeSpan.FromMinutes(9));

        (await RefusalAsync(process, "MC-2")).Reason.Should().Be(RefusalReason.Exhausted);
        lease.ExpiresAt.Should().Be(Machine.Time.GetUtcNow().AddMinutes(1));
    }

    [Fact]
    public async Task An_expired_lease_that_nobody_needed_is_shown_overdue_and_can_still_be_renewed()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1", owner: LeaseOwner.ForDuration(TimeSpan.FromMinutes(10)));
        Machine.Time.Advance(TimeSpan.FromMinutes(11));
        (await process.Pool.GetSnapshotAsync(Token)).Slots[0].Overdue.Should().BeTrue();

        await lease.RenewAsync(Token);

        (await process.Pool.GetSnapshotAsync(Token)).Slots[0].Overdue.Should().BeFalse();
    }

    [Fact]
    public async Task A_released_lease_cannot_be_released_again()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");
        SlotLease twin = (await process.Pool.TryAttachAsync(lease.Token, Token))!;
        await lease.ReleaseAsync(cancellationToken: Token);
        SlotLease next = await ClaimAsync(process, "MC-2");

        await lease.Awaiting(l => l.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        await twin.Awaiting(l => l.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        await process.Operator.Awaiting(o => o.ReleaseAsync("MC-1", cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        (await Machine.RecordAsync(0)).Epoch.Should().Be(next.Epoch);
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_keep_the_news_from_others()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        SlotLease one = await ClaimAsync(first, "MC-1"), two = await ClaimAsync(first, "MC-2");
        await using CancellationTokenRegistration bad = one.LostToken.Register(() => throw new InvalidOperationException("listener"));

        await second.Operator.ReleaseAsync("MC-1", cancellationToken: Token);
        await second.Operator.ReleaseAsync("MC-2", cancellationToken: Token);

        await LostAsync(two);
    }

    [Fact]
    public async Task A_detached_lease_stays_after_its_object()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1", owner: LeaseOwner.ForDuration(TimeSpan.FromHours(1)));
        lease.Detach();
        await lease.DisposeAsync();

        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Leased);
        (await process.Operator.ReleaseAsync("MC-1", cancellationToken: Token)).Slot.Should().Be("slot-0");
    }
}
