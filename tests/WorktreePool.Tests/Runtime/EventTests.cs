using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>What a subscriber is told, and that nobody waits for it.</summary>
public sealed class EventTests : RuntimeTest
{
    [Fact]
    public async Task A_subscriber_sees_what_happens_in_order()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        using IPoolSubscription subscription = process.Pool.Subscribe();

        await process.Pool.MaintainAsync(Token);
        Machine.Slot(0).Write("x.txt");
        SlotLease lease = await ClaimAsync(process, "A");
        await lease.ReleaseAsync(cancellationToken: Token);
        Machine.Slot(0).Damage(FindingIds.TreeDiffers);
        await process.Pool.MaintainAsync(Token);
        await process.Operator.PauseAsync("lunch", Token);
        await process.Operator.ResumeAsync(Token);
        Machine.Slot(0).Damage(FindingIds.NotWritable);
        Git.At(GitVerb.Repair).Fail("read-only");
        await process.Pool.MaintainAsync(Token);

        List<HistoryEntry> events = Read(subscription);
        events.Select(entry => entry.Event).Should().Equal(
            HistoryEvent.Provisioned, HistoryEvent.Claimed, HistoryEvent.Released, HistoryEvent.Healed, HistoryEvent.Paused, HistoryEvent.Resumed, HistoryEvent.Quarantined);
        events[1].Should().Match<HistoryEntry>(claimed => claimed.Key == "A" && claimed.Slot == "slot-0" && claimed.Findings.Contains(FindingIds.Untracked) && claimed.Rescued.Count == 1);
        events[6].Detail.Should().Contain("read-only");
        (await process.Operator.GetHistoryAsync(new HistoryQuery(), Token)).Reverse().Should().Equal(events, (stored, told) => stored.At == told.At && stored.Event == told.Event);
    }

    [Fact]
    public async Task A_dead_holders_slot_is_told_of_as_reclaimed()
    {
        FakeProcess dying = Machine.Start(), keeper = Machine.Start();
        await ClaimAsync(dying, "A");
        await Machine.KillAsync(dying);
        using IPoolSubscription subscription = keeper.Pool.Subscribe();

        await keeper.Pool.MaintainAsync(Token);

        Read(subscription).Should().ContainSingle(entry => entry.Event == HistoryEvent.Reclaimed).Which.Key.Should().Be("A");
    }

    [Fact]
    public async Task A_subscriber_that_does_not_read_loses_the_oldest_and_the_pool_does_not_wait()
    {
        FakeProcess process = Machine.Start();
        using IPoolSubscription slow = process.Pool.Subscribe(capacity: 2), other = process.Pool.Subscribe();

        for (int round = 0; round < 5; round++)
        {
            await (await ClaimAsync(process, $"K-{round}")).ReleaseAsync(cancellationToken: Token);
        }

        slow.Dropped.Should().Be(8);
        Read(slow).Select(entry => entry.Event).Should().Equal(HistoryEvent.Claimed, HistoryEvent.Released);
        (other.Dropped, Read(other).Count).Should().Be((0, 10));
    }

    [Fact]
    public async Task A_subscription_ends_with_its_dispose_and_with_the_pools()
    {
        FakeProcess process = Machine.Start();
        IPoolSubscription left = process.Pool.Subscribe(), kept = process.Pool.Subscribe();
        left.Dispose();
        await ClaimAsync(process, "A");
        await process.DisposeAsync();

        Read(left).Should().BeEmpty();
        Read(kept).Should().ContainSingle();
        await left.Events.Completion.WaitAsync(Token);
        await kept.Events.Completion.WaitAsync(Token);
    }

    [Fact]
    public void A_subscription_that_could_hold_nothing_is_refused() =>
        Machine.Start().Pool.Invoking(pool => pool.Subscribe(0)).Should().Throw<ArgumentOutOfRangeException>();

    [Fact]
    public async Task A_holder_that_does_not_check_in_is_told_of_once_and_again_after_it_has()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await process.Pool.ClaimAsync(new ClaimRequest { Key = "A", CheckInEvery = TimeSpan.FromMinutes(5) }, Token);
        using IPoolSubscription subscription = process.Pool.Subscribe();

        (await process.Pool.MaintainAsync(Token)).Overdue.Should().BeEmpty();
        Machine.Time.Advance(TimeSpan.FromMinutes(5));
        (await process.Pool.GetSnapshotAsync(Token)).Slots.Where(slot => slot.Overdue).Select(slot => slot.Record.Lease!.Key).Should().Equal("A");
        (await process.Pool.MaintainAsync(Token)).Overdue.Should().Equal("slot-0");
        (await process.Pool.MaintainAsync(Token)).Overdue.Should().BeEmpty("it was told of");

        await lease.RenewAsync(Token);
        (await process.Pool.GetSnapshotAsync(Token)).Slots.Should().NotContain(slot => slot.Overdue);
        Machine.Time.Advance(TimeSpan.FromMinutes(6));
        (await process.Pool.MaintainAsync(Token)).Overdue.Should().Equal("slot-0");

        Read(subscription).Where(entry => entry.Event == HistoryEvent.Overdue).Select(entry => entry.Key).Should().Equal("A", "A");
        lease.LostToken.IsCancellationRequested.Should().BeFalse("an overdue lease goes on");
        (await lease.ReleaseAsync(cancellationToken: Token)).Slot.Should().Be("slot-0");
    }

    private static List<HistoryEntry> Read(IPoolSubscription subscription)
    {
        List<HistoryEntry> events = [];
        while (subscription.Events.TryRead(out HistoryEntry? entry))
        {
            events.Add(entry);
        }

        return events;
    }
}
