using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>Dispatchers that overlap, and leases that outlive theirs.</summary>
public sealed class DispatchTests : RuntimeTest
{
    [Fact]
    public async Task Of_overlapping_dispatchers_one_is_in_and_the_other_is_told_who()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        DispatchAttempt entered = await first.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token);
        entered.Gate!.Name.Should().Be("tickets");

        DispatchAttempt refused = await second.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token);
        DispatchAttempt again = await first.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token);
        DispatchAttempt other = await second.Pool.TryEnterDispatchAsync("merges", cancellationToken: Token);

        refused.Should().Match<DispatchAttempt>(attempt => attempt.Gate == null && attempt.Liveness == Liveness.Alive);
        refused.Inside.Should().Match<GateRecord>(inside => inside.Holder == FakeMachine.Identity(first.Pid) && inside.Since == entered.Gate.Since);
        refused.Message.Should().Contain("tickets").And.Contain($"process {first.Pid} on host").And.Contain("alive");
        again.Gate.Should().BeNull("one process dispatches once, too");
        other.Gate.Should().NotBeNull();

        await entered.Gate.DisposeAsync();
        await entered.Gate.DisposeAsync();
        (await second.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token)).Gate.Should().NotBeNull();
    }

    [Fact]
    public async Task A_gate_is_free_as_soon_as_its_process_is_dead()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        await first.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token);

        await Machine.KillAsync(first);

        (await second.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token)).Gate.Should().NotBeNull();
    }

    [Fact]
    public async Task Who_queues_enters_when_the_dispatcher_leaves_and_when_it_dies()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start(), third = Machine.Start();
        DispatchGate gate = (await first.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token)).Gate!;
        Task<DispatchAttempt> queued = second.Pool.TryEnterDispatchAsync("tickets", TimeSpan.FromHours(1), Token).AsTask();
        await gate.DisposeAsync();
        (await queued.WaitAsync(TimeSpan.FromSeconds(30), Token)).Gate.Should().NotBeNull();

        Task<DispatchAttempt> next = third.Pool.TryEnterDispatchAsync("tickets", TimeSpan.FromHours(1), Token).AsTask();
        await Machine.KillAsync(second);
        await UntilAsync(() => next.IsCompleted);
        (await next).Gate.Should().NotBeNull();
    }

    [Fact]
    public async Task Who_has_queued_for_long_enough_is_refused()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        await first.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token);

        Task<DispatchAttempt> queued = second.Pool.TryEnterDispatchAsync("tickets", TimeSpan.FromSeconds(5), Token).AsTask();
        await UntilAsync(() => queued.IsCompleted, TimeSpan.FromMilliseconds(100));

        (await queued).Inside!.Holder.Pid.Should().Be(first.Pid);
    }

    [Fact]
    public async Task While_the_pool_is_paused_nobody_dispatches()
    {
        FakeProcess process = Machine.Start();
        await process.Operator.PauseAsync("task disabled", Token);

        DispatchAttempt attempt = await process.Pool.TryEnterDispatchAsync("tickets", TimeSpan.FromHours(1), Token);

        attempt.Should().Match<DispatchAttempt>(refused => refused.Gate == null && refused.Paused!.Reason == "task disabled" && refused.Message.Contains("task disabled"));
        await process.Operator.ResumeAsync(Token);
        (await process.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token)).Gate.Should().NotBeNull();
    }

    [Fact]
    public async Task A_dispatcher_whose_entry_is_gone_is_told()
    {
        FakeProcess process = Machine.Start();
        DispatchGate gate = (await process.Pool.TryEnterDispatchAsync("tickets", cancellationToken: Token)).Gate!;
        CancellationToken lost = gate.LostToken;
        PoolRecord pool = (await Machine.StateAsync()).Pool;

        await process.Store.CompareAndSetPoolAsync(pool.Version, pool with { Gates = null }, Token);

        await UntilAsync(() => lost.IsCancellationRequested);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\nb")]
    public async Task Odd_names_are_refused(string name) =>
        await Machine.Start().Pool.Awaiting(pool => pool.TryEnterDispatchAsync(name, cancellationToken: Token).AsTask()).Should().ThrowAsync<ArgumentException>();

    [Fact]
    public async Task Leases_are_found_by_key_and_notes_after_a_restart()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 4);
        LeaseOwner owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1));
        async Task HoldAsync(string key, string board, TimeSpan? every = null)
        {
            var request = new ClaimRequest { Key = key, Owner = owner, CheckInEvery = every, Metadata = new Dictionary<string, string> { ["board"] = board } };
            (await process.Pool.ClaimAsync(request, Token)).Detach();
        }

        await HoldAsync("MC-1", "a");
        await HoldAsync("MC-2", "b", TimeSpan.FromMinutes(1));
        await HoldAsync("CI-1", "a");
        Machine.Time.Advance(TimeSpan.FromMinutes(2));
        FakeProcess restarted = Machine.Start(options => options.Slots = 4);

        (await KeysAsync(new LeaseQuery())).Should().Equal("MC-1", "MC-2", "CI-1");
        (await KeysAsync(new LeaseQuery { KeyPrefix = "MC-" })).Should().Equal("MC-1", "MC-2");
        (await KeysAsync(new LeaseQuery { Metadata = new Dictionary<string, string> { ["board"] = "a" } })).Should().Equal("MC-1", "CI-1");
        (await KeysAsync(new LeaseQuery { OnlyOverdue = true })).Should().Equal("MC-2");
        async Task<IEnumerable<string>> KeysAsync(LeaseQuery query) => (await restarted.Pool.ListLeasesAsync(query, Token)).Select(slot => slot.Record.Lease!.Key);
    }

    [Fact]
    public async Task A_lease_whose_token_is_lost_is_taken_over_with_its_work_and_the_former_holder_can_do_nothing()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        SlotLease before = await ClaimAsync(first, "A", "cr/a");
        Machine.Slot(0).Write("work.txt");

        SlotLease after = (await second.Pool.TryTakeOverAsync("A", cancellationToken: Token))!;

        after.Should().Match<SlotLease>(lease => lease.Epoch == before.Epoch + 1 && lease.Slot == before.Slot && lease.Branch == "cr/a" && lease.Token != before.Token);
        Machine.Slot(0).Files.Should().Equal("work.txt");
        await LostAsync(before);
        await before.Awaiting(lease => lease.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        (await second.Pool.TryAttachAsync(before.Token, Token)).Should().BeNull();
        (await Machine.RecordAsync(0)).Lease!.Owner.Process.Should().Be(FakeMachine.Identity(second.Pid));
        (await after.ReleaseAsync(cancellationToken: Token)).Rescued.Should().ContainSingle();
        (await second.Pool.TryTakeOverAsync("A", cancellationToken: Token)).Should().BeNull();
    }
}
