using Microsoft.Extensions.Time.Testing;
using WorktreePool.Testing;

namespace WorktreePool.Tests.InMemory;

/// <summary>The fakes as a program's own tests use them.</summary>
public sealed class TestPoolTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pool_begins_as_it_is_said_to()
    {
        await using TestPool pool = await new TestPoolBuilder()
            .Held("MC-1", "cr/mc-1").HeldByTheDead("MC-2").HeldFor("MC-3", TimeSpan.FromMinutes(5)).HeldFor("MC-4", TimeSpan.FromMinutes(-5))
            .Crashed("MC-5").Quarantined("the disk is bad", TimeSpan.FromHours(1)).Absent().Free(2).BuildAsync();
        PoolSnapshot snapshot = await pool.Pool.GetSnapshotAsync(Token);
        snapshot.Counts.Should().Be(new PoolCounts(9, 2, 4, 1, 0, 1, 1));
        snapshot.Slots.Select(slot => slot.OwnerLiveness).Take(2).Should().Equal(Liveness.Alive, Liveness.Dead);
        (await PoolAssert.IsHeldAsync(pool.Pool, "MC-1")).Record.Lease!.Branch.Should().Be("cr/mc-1");
        await PoolAssert.IsNotHeldAsync(pool.Pool, "MC-9");
        await PoolAssert.IsSoundAsync(pool);
    }

    [Theory]
    [InlineData("MC-2")]
    [InlineData("MC-4")]
    [InlineData("MC-5")]
    public async Task What_the_dead_held_is_taken_back(string key)
    {
        await using TestPool pool = await new TestPoolBuilder().HeldByTheDead("MC-2", "cr/x").HeldFor("MC-4", TimeSpan.FromMinutes(-5)).Crashed("MC-5").BuildAsync();
        await using SlotLease lease = await pool.Pool.ClaimAsync(new ClaimRequest { Key = key }, Token);
        await PoolAssert.IsHeldAsync(pool.Pool, key);
        await PoolAssert.IsSoundAsync(pool);
    }

    [Fact]
    public async Task The_outage_can_be_set_up_and_is_healed()
    {
        await using TestPool pool = await new TestPoolBuilder().FreeButDirty("slot1/mc-MC-4634", "scratch.txt").BuildAsync();
        await ((Func<Task>)(() => PoolAssert.IsSoundAsync(pool))).Should().ThrowAsync<PoolAssertionException>().WithMessage("*slot-0*untracked (scratch.txt)*");
        await (await pool.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).ReleaseAsync(cancellationToken: Token);
        await PoolAssert.IsSoundAsync(pool);
        await PoolAssert.NoSlotIsLostAsync(pool.Pool, free: 1);
        (await pool.Operator.Rescues.ListAsync(Token)).Should().ContainSingle();
    }

    [Fact]
    public async Task A_killed_process_loses_its_leases_to_the_next()
    {
        await using TestPool first = await new TestPoolBuilder().Free().BuildAsync();
        await first.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        await using TestPool second = first.OpenAsAnotherProcess();
        PoolAssert.IsRefused(await second.Pool.TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token), RefusalReason.KeyHeld);
        await first.KillAsync();
        (await second.Pool.TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Lease.Should().NotBeNull();
    }

    [Fact]
    public async Task A_clock_that_stands_still_is_moved_while_a_claim_waits()
    {
        var time = new FakeTimeProvider();
        await using TestPool pool = await new TestPoolBuilder().WithTime(time).Held("MC-1").Configure(options => options.ClaimTimeout = TimeSpan.FromMinutes(1)).BuildAsync();
        Func<Task> claim = () => Clock.RunAsync(pool.Pool.ClaimAsync(new ClaimRequest { Key = "MC-2" }, Token).AsTask(), time.Advance, TimeSpan.FromSeconds(1), atMost: TimeSpan.FromMinutes(5));
        (await claim.Should().ThrowAsync<SlotUnavailableException>()).Which.Refusal.Reason.Should().Be(RefusalReason.Timeout);
        pool.Git.At(GitVerb.Probe).Hang();
        Func<Task> hangs = () => Clock.RunAsync(new TaskCompletionSource<int>().Task, time.Advance, TimeSpan.FromSeconds(1), atMost: TimeSpan.FromSeconds(20));
        await hangs.Should().ThrowAsync<TimeoutException>();
    }

    [Fact]
    public async Task A_pause_and_a_fault_at_the_nth_call_are_met()
    {
        await using TestPool paused = await new TestPoolBuilder().Free().Paused("maintenance").BuildAsync();
        PoolAssert.IsRefused(await paused.Pool.TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token), RefusalReason.Paused).Message.Should().Contain("maintenance");

        await using TestPool faulty = await new TestPoolBuilder().Free(2).BuildAsync();
        faulty.Git.At(GitVerb.Probe, 1).Fail("the disk is full");
        (await faulty.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Slot.Should().Be("slot-1");
        await ((Func<Task>)(() => PoolAssert.NoSlotIsLostAsync(faulty.Pool, free: 1))).Should().ThrowAsync<PoolAssertionException>().WithMessage("*slot-0 quarantined*");
    }
}
