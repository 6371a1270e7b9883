namespace WorktreePool.Tests.Runtime;

/// <summary>While a pool is paused no claim is granted, and releases work.</summary>
public sealed class PauseTests : RuntimeTest
{
    [Fact]
    public async Task A_paused_pool_refuses_says_why_and_still_takes_slots_back()
    {
        FakeProcess process = Machine.Start(), other = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");
        await other.Operator.PauseAsync("disk swap", Token);

        ClaimRefusal refusal = await RefusalAsync(process, "MC-2");
        await lease.ReleaseAsync(cancellationToken: Token);

        refusal.Reason.Should().Be(RefusalReason.Paused);
        refusal.Message.Should().Contain("disk swap").And.Contain("resume");
        await Machine.ShouldBeReadyAsync(0);
        await other.Operator.ResumeAsync(Token);
        await ClaimAsync(process, "MC-2");
    }

    [Fact]
    public async Task Every_waiting_claim_of_every_process_is_told_of_a_pause()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1), other = Machine.Start(options => options.Slots = 1);
        await ClaimAsync(process, "MC-1");
        Task<SlotLease>[] waiting = [ClaimAsync(process, "MC-2"), ClaimAsync(process, "MC-3"), ClaimAsync(other, "MC-4")];

        await other.Operator.PauseAsync("", Token);

        foreach (Task<SlotLease> claim in waiting)
        {
            (await claim.Awaiting(c => c).Should().ThrowAsync<SlotUnavailableException>()).Which.Refusal.Reason.Should().Be(RefusalReason.Paused);
        }
    }

    [Fact]
    public async Task A_holder_keeps_its_lease_through_a_pause()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1", owner: LeaseOwner.ForDuration(TimeSpan.FromMinutes(1)));
        await process.Operator.PauseAsync("", Token);

        await lease.RenewAsync(Token);
        SlotLease again = (await process.Pool.TryClaimAsync(new ClaimRequest { Key = "MC-1", Token = lease.Token }, Token)).Lease!;

        again.IsAttached.Should().BeTrue();
        (await process.Operator.GetHistoryAsync(new HistoryQuery(), Token))[0].Event.Should().Be(HistoryEvent.Paused);
    }
}
