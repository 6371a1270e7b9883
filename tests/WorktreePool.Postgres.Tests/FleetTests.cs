using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Postgres.Tests;

/// <summary>Several hosts over one pool: what they may know and conclude of each other.</summary>
public sealed class FleetTests(PostgresServer server) : IDisposable
{
    private static readonly TimeSpan HostTimeout = Fleet.HostTimeout;

    private readonly Fleet _fleet = new(server);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_held_on_another_host_is_refused_at_once_and_says_where()
    {
        await using ServiceProvider a = Host("host-a");
        await using ServiceProvider b = Host("host-b");
        await using SlotLease lease = await Pool(a).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        ClaimResult refused = await Pool(b).TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        refused.Refusal!.Reason.Should().Be(RefusalReason.KeyHeld);
        refused.Refusal.Message.Should().Contain("slot-0 on host-a");
        await using SlotLease own = await Pool(b).ClaimAsync(new ClaimRequest { Key = "MC-2" }, Token);
        own.Slot.Should().Be(lease.Slot, "each host has its own slots");
        own.Path.Should().NotBe(lease.Path);
        (await Operator(a).GetHistoryAsync(new HistoryQuery(Key: "MC-2"), Token)).Should().ContainSingle().Which.Host.Should().Be("host-b");
    }

    [Fact]
    public async Task Capacity_is_found_where_slots_are_free()
    {
        await using ServiceProvider a = Host("host-a");
        await using ServiceProvider b = Host("host-b");
        await Operator(a).InitializeAsync(Token);
        await Operator(b).InitializeAsync(Token);
        await using SlotLease lease = await Pool(a).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        IFleet fleet = a.GetRequiredKeyedService<IFleet>("agents");
        (await fleet.FindCapacityAsync(null, Token)).Select(host => (host.Host, host.Ready)).Should().Equal(("host-b", 2), ("host-a", 1));
        (await fleet.FindCapacityAsync("host-a", Token)).Select(host => host.Host).Should().Equal("host-a", "host-b");
        (await fleet.GetSnapshotAsync(Token)).Hosts.Should().OnlyContain(host => host.IsReachable && host.CheckedInAt != null && host.Counts.Total == 2);
        await Operator(b).PauseAsync("lunch", Token);
        (await fleet.FindCapacityAsync(null, Token)).Should().BeEmpty("a pause is the whole pool's");
    }

    [Fact]
    public async Task A_silent_host_loses_its_keys_after_its_holders_have_stopped_and_never_gets_them_back()
    {
        using var proxy = new CutableProxy(server.Socket);
        await using ServiceProvider a = Host("host-a");
        await using ServiceProvider b = Host("host-b", proxy.ConnectionString);
        await Operator(a).InitializeAsync(Token);
        SlotLease lost = await Pool(b).ClaimAsync(new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1" }, Token);
        (await Pool(a).MaintainAsync(Token)).Reclaimed.Should().BeEmpty("host-b lives");

        proxy.Silence();
        SlotLease? taken = null;
        while (taken is null)
        {
            bool stopped = lost.LostToken.IsCancellationRequested;
            await Pool(a).MaintainAsync(Token);
            taken = (await Pool(a).TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Lease;
            (taken is null || stopped || lost.LostToken.IsCancellationRequested).Should().BeTrue("a key must not be held twice");
        }

        IFleet fleet = a.GetRequiredKeyedService<IFleet>("agents");
        HostState silent = (await fleet.GetSnapshotAsync(Token)).Hosts.Single(host => host.Host == "host-b");
        silent.IsReachable.Should().BeFalse();
        silent.Counts.Free.Should().Be(0, "what was leased is not free: its own host must clean it first");
        (await fleet.FindCapacityAsync("host-b", Token)).Should().NotContain(host => host.Host == "host-b");

        proxy.Restore();
        await lost.Awaiting(lease => lease.ReleaseAsync(null, Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        (await Pool(b).TryAttachAsync(lost.Token, Token)).Should().BeNull();
        (await Pool(b).MaintainAsync(Token)).Reclaimed.Should().Contain(lost.Slot);
        (await Pool(b).GetSnapshotAsync(Token)).Slots.Should().OnlyContain(slot => slot.Record.State == SlotState.Free);
        (await Pool(b).TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Refusal!.Reason.Should().Be(RefusalReason.KeyHeld);
        await taken.ReleaseAsync(null, Token);
    }

    [Fact]
    public async Task A_host_that_is_gone_for_good_is_removed_and_one_that_lives_is_not()
    {
        await using ServiceProvider a = Host("host-a");
        await using ServiceProvider b = Host("host-b");
        SlotLease lost = await Pool(b).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        await Operator(a).InitializeAsync(Token);
        await Pool(a).MaintainAsync(Token);
        IFleet fleet = a.GetRequiredKeyedService<IFleet>("agents");
        foreach ((string host, string why) in new[] { ("host-b", "it checked in"), ("host-a", "this host"), ("host-c", "host-a, host-b") })
        {
            (await fleet.Awaiting(f => f.RemoveHostAsync(host, Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain(why);
        }

        (await fleet.GetSnapshotAsync(Token)).Hosts.Should().OnlyContain(host => host.Counts.Total == 2);
        lost.Detach();
        await b.DisposeAsync();
        await server.ExecuteAsync($"UPDATE worktree_pool.host SET checked_in_at = now() - interval '1 hour' WHERE pool = '{_fleet.Name}' AND host = 'host-b'");
        await fleet.RemoveHostAsync("host-b", Token);
        (await fleet.GetSnapshotAsync(Token)).Hosts.Select(host => host.Host).Should().Equal("host-a");
        (await Operator(a).GetHistoryAsync(new HistoryQuery(Key: "MC-1"), Token)).Select(entry => entry.Event).Should().Equal(HistoryEvent.Reclaimed, HistoryEvent.Claimed);
        await using SlotLease next = await Pool(a).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
    }

    [Fact]
    public async Task A_partition_that_outlasts_a_lease_ends_it_for_its_holder_before_anybody_else_gets_the_slot()
    {
        using var proxy = new CutableProxy(server.Socket);
        static void Patient(PostgresOptions options) => options.HostTimeout = TimeSpan.FromHours(1);
        await using ServiceProvider cut = _fleet.Open("host-a", proxy.ConnectionString, Patient);
        await using ServiceProvider sibling = _fleet.Open("host-a", configure: Patient);
        await Operator(sibling).InitializeAsync(Token);
        SlotLease lost = await Pool(cut).ClaimAsync(new ClaimRequest { Key = "MC-1", Owner = LeaseOwner.ForDuration(TimeSpan.FromSeconds(6)) }, Token);
        proxy.Silence();
        SlotLease? taken = null;
        while (taken is null)
        {
            bool told = lost.LostToken.IsCancellationRequested;
            taken = (await Pool(sibling).TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Lease;
            (taken is null || told || lost.LostToken.IsCancellationRequested).Should().BeTrue("a slot must not be held twice");
        }

        taken.Slot.Should().Be(lost.Slot);
        proxy.Restore();
        await lost.Awaiting(lease => lease.ReleaseAsync(null, Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        await taken.ReleaseAsync(null, Token);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_process_whose_clock_is_a_day_off_ends_no_lease_early_and_none_late(int days)
    {
        static void Patient(PostgresOptions options) => options.HostTimeout = TimeSpan.FromHours(1);
        await using ServiceProvider right = _fleet.Open("host-a", configure: Patient);
        await using ServiceProvider wrong = _fleet.Open("host-a", configure: Patient, time: new WrongTime(TimeSpan.FromDays(days)));
        await using SlotLease lasting = await Pool(right).ClaimAsync(new ClaimRequest { Key = "MC-1", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)) }, Token);
        (await Pool(wrong).MaintainAsync(Token)).Reclaimed.Should().BeEmpty();
        (await Pool(wrong).TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Refusal!.Reason.Should().Be(RefusalReason.KeyHeld);
        SlotLease brief = await Pool(wrong).ClaimAsync(new ClaimRequest { Key = "MC-2", Owner = LeaseOwner.ForDuration(TimeSpan.FromSeconds(1)) }, Token);
        brief.ClaimedAt.Should().BeCloseTo(lasting.ClaimedAt, TimeSpan.FromMinutes(10), "times are the database's");
        SlotLease? taken = null;
        while (taken is null)
        {
            taken = (await Pool(right).TryClaimAsync(new ClaimRequest { Key = "MC-2" }, Token)).Lease;
        }

        taken.Slot.Should().Be(brief.Slot);
        brief.LostToken.IsCancellationRequested.Should().BeTrue();
        await taken.ReleaseAsync(null, Token);
    }

    [Fact]
    public async Task A_host_that_holds_leases_keeps_checking_in()
    {
        await using ServiceProvider a = Host("host-a");
        await using ServiceProvider b = Host("host-b");
        await Operator(a).InitializeAsync(Token);
        await using SlotLease lease = await Pool(b).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        IFleet fleet = a.GetRequiredKeyedService<IFleet>("agents");
        DateTimeOffset first = (await fleet.GetSnapshotAsync(Token)).Hosts.Single(host => host.Host == "host-b").CheckedInAt!.Value;
        while ((await fleet.GetSnapshotAsync(Token)).Hosts.Single(host => host.Host == "host-b") is var b2 && b2.CheckedInAt < first + (HostTimeout * 1.5))
        {
            b2.IsReachable.Should().BeTrue();
            await Task.Delay(50, Token);
        }

        (await Pool(a).MaintainAsync(Token)).Reclaimed.Should().BeEmpty();
        lease.LostToken.IsCancellationRequested.Should().BeFalse();
    }

    public void Dispose() => _fleet.Dispose();

    private ServiceProvider Host(string name, string? connectionString = null) => _fleet.Open(name, connectionString);

    private static IWorktreePool Pool(ServiceProvider host) => Fleet.PoolOf(host);

    private static IPoolOperator Operator(ServiceProvider host) => Fleet.OperatorOf(host);

    /// <summary>A clock that is off.</summary>
    private sealed class WrongTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
