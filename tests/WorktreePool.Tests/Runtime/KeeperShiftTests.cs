using System.Collections.Concurrent;
using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>The standing keeper: when it works, that it is the only one, and that no claim waits for it.</summary>
public sealed class KeeperShiftTests : RuntimeTest
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Free_slots_follow_the_base_ahead_of_claims()
    {
        FakeProcess process = Machine.Start();
        await using Shift shift = Keep(process);
        await UntilAsync(() => !shift.Reports.IsEmpty, Second);
        string next = Git.NewCommit(Machine.Base);
        Git.SetRemote(Git.DefaultBase, next);

        await UntilAsync(() => Machine.Slot(0).Head == next && Machine.Slot(1).Head == next, Second);
        int repairs = CallsOn(0, GitVerb.Repair).Count();
        SlotLease lease = await ClaimAsync(process, "A");

        lease.Commit.Should().Be(next);
        CallsOn(0, GitVerb.Repair).Should().HaveCount(repairs, "the slot was ready when it was claimed");
        Git.Calls.Count(call => call.Verb == GitVerb.Fetch).Should().BeLessThan(8, "the remote is asked once a minute, not at every pass");
    }

    [Fact]
    public async Task One_process_keeps_the_pool_and_another_follows_when_it_dies()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        await using Shift one = Keep(first);
        await UntilAsync(() => !one.Reports.IsEmpty, Second);
        await using Shift other = Keep(second);
        await UntilAsync(() => one.Reports.Count >= 4, Second);
        other.Reports.Should().BeEmpty();
        (await Machine.StateAsync()).Pool.Gates!["keeper:host"].Holder.Should().Be(FakeMachine.Identity(first.Pid));

        await Machine.KillAsync(first);

        await UntilAsync(() => !other.Reports.IsEmpty, Second);
        (await Machine.StateAsync()).Pool.Gates!["keeper:host"].Holder.Should().Be(FakeMachine.Identity(second.Pid));
    }

    [Fact]
    public async Task A_keeper_that_ends_leaves_the_gate_to_the_next()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        Shift one = Keep(first);
        await UntilAsync(() => !one.Reports.IsEmpty, Second);
        MaintenanceReport meanwhile = await second.Pool.MaintainAsync(Token);
        MaintenanceReport own = await first.Pool.MaintainAsync(Token);

        await one.DisposeAsync();

        meanwhile.KeptBy!.Holder.Should().Be(FakeMachine.Identity(first.Pid));
        own.KeptBy.Should().BeNull("the keeper's own process may ask it for a pass");
        (await Machine.StateAsync()).Pool.Gates.Should().BeNull();
        (await second.Pool.MaintainAsync(Token)).KeptBy.Should().BeNull();
    }

    [Fact]
    public async Task A_keeper_that_two_parts_of_one_process_start_works_once()
    {
        FakeProcess process = Machine.Start();
        await using Shift one = Keep(process);
        await UntilAsync(() => !one.Reports.IsEmpty, Second);
        await using Shift other = Keep(process);

        await UntilAsync(() => one.Reports.Count >= 3, Second);

        other.Reports.Should().BeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_claim_never_waits_for_the_keeper_not_even_for_the_only_slot(bool mayWait)
    {
        FakeProcess keeper = Machine.Start(options => options.Slots = 1), claimer = Machine.Start(options => options.Slots = 1);
        await keeper.Pool.MaintainAsync(Token);
        Machine.Slot(0).Damage(FindingIds.TreeDiffers);
        var stuck = new GitGate();
        Git.At(GitVerb.Repair, 1).WaitAt(stuck);
        Task<MaintenanceReport> pass = keeper.Pool.MaintainAsync(Token).AsTask();
        await stuck.Reached.WaitAsync(Token);

        // The keeper's git never ends by itself, and no time passes.
        var request = new ClaimRequest { Key = "A" };
        SlotLease? lease = mayWait
            ? await claimer.Pool.ClaimAsync(request, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token)
            : (await claimer.Pool.TryClaimAsync(request, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token)).Lease;

        lease!.Slot.Should().Be("slot-0");
        (await pass).Yielded.Should().Equal("slot-0");
        SlotRecord record = await Machine.RecordAsync(0);
        (record.State, record.Yield).Should().Be((SlotState.Leased, (SlotYield?)null));
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_claim_takes_another_slot_rather_than_the_keepers()
    {
        FakeProcess keeper = Machine.Start(), claimer = Machine.Start();
        await keeper.Pool.MaintainAsync(Token);
        Machine.Slot(0).Damage(FindingIds.TreeDiffers);
        var stuck = new GitGate();
        Git.At(GitVerb.Repair, 1).WaitAt(stuck);
        Task<MaintenanceReport> pass = keeper.Pool.MaintainAsync(Token).AsTask();
        await stuck.Reached.WaitAsync(Token);

        (await ClaimAsync(claimer, "A")).Slot.Should().Be("slot-1");

        stuck.Open();
        (await pass).Healed.Should().Equal("slot-0");
    }

    [Fact]
    public async Task What_the_keeper_had_kept_before_it_gave_way_is_not_kept_twice_and_nothing_is_lost()
    {
        FakeProcess keeper = Machine.Start(options => options.Slots = 1), claimer = Machine.Start(options => options.Slots = 1);
        await keeper.Pool.MaintainAsync(Token);
        Machine.Slot(0).Write("work.txt");
        var stuck = new GitGate();
        Git.At(GitVerb.Repair, 1).WaitAt(stuck);
        Task<MaintenanceReport> pass = keeper.Pool.MaintainAsync(Token).AsTask();
        await stuck.Reached.WaitAsync(Token);

        SlotLease lease = await ClaimAsync(claimer, "A");
        await pass;

        lease.Rescued.Should().BeEmpty();
        (await Git.Rescues.ListAsync(Token)).Should().ContainSingle();
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_claim_that_takes_over_is_told_apart_from_a_crash()
    {
        FakeProcess keeper = Machine.Start(options => options.Slots = 1), claimer = Machine.Start(options => options.Slots = 1);
        await keeper.Pool.MaintainAsync(Token);
        Machine.Slot(0).Damage(FindingIds.TreeDiffers);
        Git.At(GitVerb.Repair, 1).WaitAt(new GitGate());
        Task<MaintenanceReport> pass = keeper.Pool.MaintainAsync(Token).AsTask();

        await ClaimAsync(claimer, "A");
        await pass;

        (await claimer.Operator.GetHistoryAsync(new HistoryQuery(Limit: 1), Token))[0].Detail.Should().Contain("keeper, which gave way");
    }

    [Fact]
    public async Task A_keeper_that_does_not_answer_is_not_waited_for_forever()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        await process.Pool.MaintainAsync(Token);
        SlotRecord free = await Machine.RecordAsync(0);
        await using IAsyncDisposable? stopped = await process.Store.TryLockSlotAsync("slot-0", Token);
        await process.Store.CompareAndSetAsync(free.Version, free with { State = SlotState.Cleaning, Yield = SlotYield.WhenAsked }, Token);

        Task<ClaimResult> claim = process.Pool.TryClaimAsync(new ClaimRequest { Key = "A" }, Token).AsTask();
        await UntilAsync(() => claim.IsCompleted, TimeSpan.FromMilliseconds(100));

        (await claim).Refusal!.Reason.Should().Be(RefusalReason.Exhausted);
    }

    [Fact]
    public async Task A_fetch_that_fails_is_reported_and_the_rest_is_done_with_what_is_known()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        Machine.Slot(0).Write("x.txt");
        Machine.Time.Advance(TimeSpan.FromMinutes(2));
        Git.At(GitVerb.Fetch).Fail("no route to host");

        MaintenanceReport report = await process.Pool.MaintainAsync(Token);

        report.Failures.Should().ContainSingle().Which.Should().Contain("no route to host");
        report.Healed.Should().Equal("slot-0");
    }

    [Fact]
    public async Task A_pass_that_fails_is_followed_by_the_next()
    {
        FakeProcess process = Machine.Start();
        Git.At(GitVerb.Inspect, 1).Fail(() => new InvalidOperationException("odd"));
        await using Shift shift = Keep(process);

        await UntilAsync(() => shift.Reports.Count >= 2, Second);

        MaintenanceReport[] reports = [.. shift.Reports];
        reports[0].Failures.Should().Equal("odd");
        reports[1].Failures.Should().BeEmpty();
        await Machine.ShouldBeReadyAsync(0);
    }

    [Fact]
    public async Task A_quarantined_slot_is_retried_when_its_time_has_come_not_at_the_next_interval()
    {
        FakeProcess process = Machine.Start(options => (options.Slots, options.QuarantineBackoff) = (1, TimeSpan.FromSeconds(20)));
        Git.At(GitVerb.Repair, 1).Fail("bad disk");
        Git.At(GitVerb.Repair, 2).Fail("bad disk");
        Git.At(GitVerb.Repair, 3).Fail("bad disk");
        await using Shift shift = Keep(process, new KeeperOptions { Interval = TimeSpan.FromHours(1) });
        await UntilAsync(() => shift.Reports.Count == 1, TimeSpan.FromMilliseconds(1));
        shift.Reports.Single().Quarantined.Should().Equal("slot-0");
        DateTimeOffset retry = (await Machine.RecordAsync(0)).Quarantine!.RetryAt;

        await UntilAsync(() => shift.Reports.Count == 2, Second);

        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Free);
        Machine.Time.GetUtcNow().Should().BeOnOrAfter(retry).And.BeBefore(retry.AddMinutes(5));
    }

    [Theory]
    [InlineData(0, 0, "Interval is 0 s")]
    [InlineData(-1, 0, "Interval is -1 s")]
    [InlineData(60, -1, "BaseRefresh is -1 s")]
    [InlineData(60 * 60 * 24 * 31, 1, "at most 30 days")]
    public void Impossible_settings_are_refused(int interval, int refresh, string told)
    {
        var options = new KeeperOptions { Interval = TimeSpan.FromSeconds(interval), BaseRefresh = TimeSpan.FromSeconds(refresh) };
        Machine.Start().Pool.Invoking(pool => pool.KeepAsync(options, Token)).Should().Throw<PoolConfigurationException>().WithMessage($"*{told}*");
    }

    private static Shift Keep(FakeProcess process, KeeperOptions? options = null) => new(process.Pool, options);

    /// <summary>A keeper at work in the background.</summary>
    private sealed class Shift : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        private readonly Task _work;

        public Shift(IWorktreePool pool, KeeperOptions? options) => _work = Task.Run(() => RunAsync(pool, options));

        public ConcurrentQueue<MaintenanceReport> Reports { get; } = [];

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _work.Awaiting(work => work).Should().ThrowAsync<OperationCanceledException>();
            _end.Dispose();
        }

        private async Task RunAsync(IWorktreePool pool, KeeperOptions? options)
        {
            await foreach (MaintenanceReport report in pool.KeepAsync(options, _end.Token))
            {
                Reports.Enqueue(report);
            }
        }
    }
}
