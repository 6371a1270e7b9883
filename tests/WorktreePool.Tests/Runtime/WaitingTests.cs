using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>First come, first served, and nobody waits for another's git.</summary>
public sealed class WaitingTests : RuntimeTest
{
    [Fact]
    public async Task Claims_of_one_process_are_served_in_the_order_they_came()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        SlotLease held = await ClaimAsync(process, "first");
        List<Task<SlotLease>> waiting = [.. Enumerable.Range(0, 5).Select(number => ClaimAsync(process, $"K-{number}"))];
        for (int number = 0; number < waiting.Count; number++)
        {
            await held.ReleaseAsync(cancellationToken: Token);
            Task<SlotLease> served = await Task.WhenAny(waiting.Skip(number));
            held = await served;
            held.Key.Should().Be($"K-{number}");
        }
    }

    [Fact]
    public async Task A_claim_cancelled_in_the_line_leaves_it_to_the_next()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        SlotLease held = await ClaimAsync(process, "first");
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<SlotLease> gone = process.Pool.ClaimAsync(new ClaimRequest { Key = "gone" }, cancel.Token).AsTask();
        Task<SlotLease> next = ClaimAsync(process, "next");
        await cancel.CancelAsync();
        await gone.Awaiting(g => g).Should().ThrowAsync<OperationCanceledException>();

        await held.ReleaseAsync(cancellationToken: Token);

        (await next).Key.Should().Be("next");
    }

    [Fact]
    public async Task A_claim_of_another_process_is_woken_by_the_release()
    {
        FakeProcess first = Machine.Start(options => options.Slots = 1), second = Machine.Start(options => options.Slots = 1);
        SlotLease held = await ClaimAsync(first, "MC-1");
        Task<SlotLease> waiting = ClaimAsync(second, "MC-2");
        waiting.IsCompleted.Should().BeFalse();

        await held.ReleaseAsync(cancellationToken: Token);

        (await waiting).Slot.Should().Be("slot-0");
    }

    [Fact]
    public async Task A_waiting_claim_notices_that_an_owner_died()
    {
        FakeProcess dying = Machine.Start(options => options.Slots = 1), next = Machine.Start(options => options.Slots = 1);
        await ClaimAsync(dying, "MC-1");
        Task<SlotLease> waiting = ClaimAsync(next, "MC-2");
        await Machine.KillAsync(dying);

        while (!waiting.IsCompleted)
        {
            Machine.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.WhenAny(waiting, Task.Delay(5, Token));
        }

        (await waiting).Waited.Should().BeLessThan(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_claim_whose_base_takes_long_does_not_hold_up_the_others()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        Git.SetRef("refs/heads/slow", Machine.Base);
        var gate = new GitGate();
        Git.At(GitVerb.Expand, 1).WaitAt(gate);
        Task<SlotLease> slow = process.Pool.ClaimAsync(new ClaimRequest { Key = "slow", Base = "slow" }, Token).AsTask();
        await gate.Reached.WaitAsync(Token);

        (await ClaimAsync(process, "fast")).Slot.Should().Be("slot-0");

        slow.IsCompleted.Should().BeFalse();
        gate.Open();
        (await slow).Slot.Should().Be("slot-1");
    }

    [Fact]
    public async Task A_claim_whose_own_slot_is_being_cleaned_does_not_hold_up_the_others()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");
        var gate = new GitGate();
        Git.At(GitVerb.Probe, 1, "slot-0").WaitAt(gate);
        Task release = lease.ReleaseAsync(cancellationToken: Token).AsTask();
        await gate.Reached.WaitAsync(Token);
        Task<SlotLease> again = ClaimAsync(process, "MC-1");

        (await ClaimAsync(process, "MC-2")).Slot.Should().Be("slot-1");

        again.IsCompleted.Should().BeFalse();
        gate.Open();
        await release;
        (await again).Slot.Should().Be("slot-0");
    }

    [Fact]
    public async Task A_slow_preparation_holds_up_nobody()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        var gate = new GitGate();
        Git.At(GitVerb.Probe, 1, "slot-0").WaitAt(gate);
        Task<SlotLease> slow = ClaimAsync(process, "slow");
        await gate.Reached.WaitAsync(Token);

        (await ClaimAsync(process, "fast")).Slot.Should().Be("slot-1");

        gate.Open();
        (await slow).Slot.Should().Be("slot-0");
    }
}
