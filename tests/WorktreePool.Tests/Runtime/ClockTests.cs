using WorktreePool.Lifecycle;

namespace WorktreePool.Tests.Runtime;

/// <summary>Somebody sets the wall clock by a day: no live lease ends by it, no dead one lives on, and nobody waits for a day.</summary>
public sealed class ClockTests : RuntimeTest
{
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_leap_ends_no_live_lease(int days)
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        SlotLease timed = await ClaimAsync(first, "MC-1", owner: LeaseOwner.ForDuration(Duration));
        SlotLease owned = await ClaimAsync(first, "MC-2");
        Machine.Time.Advance(TimeSpan.FromMinutes(5));
        Leap(days);

        (await RefusalAsync(second, "MC-3")).Reason.Should().Be(RefusalReason.Exhausted);
        (await second.Pool.MaintainAsync(Token)).Reclaimed.Should().BeEmpty();
        PoolSnapshot snapshot = await second.Pool.GetSnapshotAsync(Token);
        snapshot.Slots.Should().OnlyContain(slot => !slot.Overdue);
        snapshot.Slots[0].Record.Lease!.ExpiresAt.Should().BeCloseTo(Machine.Wall.GetUtcNow().AddMinutes(5), TimeSpan.FromSeconds(1), "it is shown by the clock as it is now");
        await timed.RenewAsync(Token);
        timed.ExpiresAt.Should().Be(Machine.Wall.GetUtcNow() + Duration);
        await timed.ReleaseAsync(cancellationToken: Token);
        await owned.ReleaseAsync(cancellationToken: Token);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_leap_makes_no_dead_lease_immortal(int days)
    {
        FakeProcess dying = Machine.Start(), next = Machine.Start();
        await ClaimAsync(dying, "MC-1", owner: LeaseOwner.ForDuration(Duration));
        await ClaimAsync(dying, "MC-2");
        Leap(days);
        await Machine.KillAsync(dying);
        (await ClaimAsync(next, "MC-3")).Slot.Should().Be("slot-1", "a dead process is dead at any time");

        Machine.Time.Advance(Duration);

        (await ClaimAsync(next, "MC-4")).Slot.Should().Be("slot-0", "its time has passed, whatever the wall clock says");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_leap_neither_shortens_nor_prolongs_a_wait(int days)
    {
        FakeProcess process = Machine.Start(options => (options.Slots, options.ClaimTimeout) = (1, TimeSpan.FromSeconds(10)));
        await ClaimAsync(process, "MC-1");
        Task<SlotLease> waiting = ClaimAsync(process, "MC-2");
        Leap(days);
        Machine.Time.Advance(TimeSpan.FromSeconds(9.9));
        waiting.IsCompleted.Should().BeFalse();

        Machine.Time.Advance(TimeSpan.FromSeconds(0.1));

        (await waiting.Awaiting(claim => claim).Should().ThrowAsync<SlotUnavailableException>()).Which.Refusal.Reason.Should().Be(RefusalReason.Timeout);
    }

    [Fact]
    public void After_a_restart_of_the_machine_only_the_wall_clock_is_left()
    {
        DateTimeOffset end = new(2026, 6, 3, 21, 0, 0, TimeSpan.Zero);
        var lease = new LeaseRecord { Key = "K", TokenHash = "", Owner = LeaseOwner.ForDuration(Duration), ExpiresAt = end, ExpiresAtBootTime = new BootTime("before", TimeSpan.FromDays(9)) };
        var record = new SlotRecord { Slot = "slot-0", Host = "h", Path = "/p", State = SlotState.Leased, Lease = lease };

        SlotLifecycle.AsOf(record, end.AddDays(1), new BootTime("after", TimeSpan.FromMinutes(1))).Should().BeSameAs(record);
        SlotLifecycle.AsOf(record, end.AddDays(1), new BootTime("before", TimeSpan.FromDays(8))).Lease!.ExpiresAt.Should().Be(end.AddDays(2));
        SlotLifecycle.AsOf(record, end.AddDays(1), null).Should().BeSameAs(record);
    }

    private void Leap(int days) => Machine.Wall.Leap(TimeSpan.FromDays(days));
}
