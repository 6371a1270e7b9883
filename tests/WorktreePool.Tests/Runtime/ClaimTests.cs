using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>A claim hands out a slot that was verified, whatever it finds, or goes on with the next one.</summary>
public sealed class ClaimTests : RuntimeTest
{
    [Fact]
    public async Task The_first_claim_makes_the_pool_and_one_slot()
    {
        SlotLease lease = await ClaimAsync(Machine.Start(), "MC-1", "cr/mc-1");

        lease.Should().Match<SlotLease>(claimed => claimed.Slot == "slot-0" && claimed.Key == "MC-1" && claimed.Branch == "cr/mc-1" && claimed.Commit == Machine.Base && claimed.Epoch == 1);
        Machine.Slot(0).Branch.Should().Be("cr/mc-1");
        Machine.Slot(0).Head.Should().Be(Machine.Base);
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Leased);
        (await Machine.RecordAsync(1)).State.Should().Be(SlotState.Absent);
    }

    [Theory]
    [InlineData(RepairLevel.Reset, "Reset")]
    [InlineData(RepairLevel.Rebuild, "Reset", "Rebuild")]
    [InlineData(RepairLevel.Recreate, "Reset", "Rebuild", "Recreate")]
    public async Task A_stubborn_slot_is_repaired_ever_more_strongly(RepairLevel healedBy, params string[] repairs)
    {
        FakeProcess process = await WithFreeSlotsAsync();
        Machine.Slot(0).Damage(FindingIds.TreeDiffers, healedBy);
        int before = CallsOn(0, GitVerb.Repair).Count();

        SlotLease lease = await ClaimAsync(process, "MC-1");

        lease.Slot.Should().Be("slot-0");
        lease.Healed.Should().Equal(FindingIds.TreeDiffers);
        CallsOn(0, GitVerb.Repair).Skip(before).Should().Equal(repairs);
    }

    [Fact]
    public async Task A_slot_that_cannot_be_made_ready_is_set_aside_and_the_next_one_is_claimed()
    {
        FakeProcess process = await WithFreeSlotsAsync();
        Machine.Slot(0).Damage(FindingIds.NotWritable);
        Git.At(GitVerb.Repair, slot: "slot-0").Fail("read-only file system");

        (await ClaimAsync(process, "MC-1")).Slot.Should().Be("slot-1");

        SlotRecord aside = await Machine.RecordAsync(0);
        aside.State.Should().Be(SlotState.Quarantined);
        aside.Quarantine!.Reason.Should().Contain("read-only file system");
        aside.Quarantine.RetryAt.Should().Be(Machine.Time.GetUtcNow().AddSeconds(30));
    }

    [Theory]
    [InlineData(GitVerb.Probe)]
    [InlineData(GitVerb.Rescue)]
    public async Task A_slot_that_git_cannot_examine_or_keep_the_work_of_is_set_aside_unharmed(GitVerb verb)
    {
        FakeProcess process = await WithFreeSlotsAsync();
        Machine.Slot(0).Write("work.txt");
        int repairs = CallsOn(0, GitVerb.Repair).Count();
        Git.At(verb, slot: "slot-0").Fail("no space left on device");

        (await ClaimAsync(process, "MC-1")).Slot.Should().Be("slot-1");

        Machine.Slot(0).Files.Should().Equal("work.txt");
        CallsOn(0, GitVerb.Repair).Should().HaveCount(repairs, "what cannot be kept is not wiped");
        (await Machine.RecordAsync(0)).Quarantine!.Reason.Should().Contain("no space left");
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task With_nothing_but_broken_slots_the_refusal_says_what_is_wrong_and_when_to_try_again()
    {
        FakeProcess process = await WithFreeSlotsAsync();
        Machine.Slot(0).Damage(FindingIds.NotWritable);
        Machine.Slot(1).Damage(FindingIds.NotWritable);
        Git.At(GitVerb.Repair).Fail("read-only file system");

        await process.Pool.TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        ClaimRefusal refusal = await RefusalAsync(process, "MC-1");

        refusal.Reason.Should().Be(RefusalReason.Quarantined);
        refusal.Counts.Quarantined.Should().Be(2);
        refusal.RetryAfter.Should().Be(TimeSpan.FromSeconds(30));
        Git.ClearScripts();
        Machine.Time.Advance(TimeSpan.FromSeconds(30));
        (await ClaimAsync(process, "MC-1")).Healed.Should().Contain(FindingIds.NotWritable);
    }

    [Fact]
    public async Task Work_found_in_a_free_slot_is_kept()
    {
        FakeProcess process = await WithFreeSlotsAsync();
        Machine.Slot(0).Write("scratch.txt");

        SlotLease lease = await ClaimAsync(process, "MC-1");

        lease.Rescued.Should().ContainSingle();
        (await Git.Rescues.ListAsync(Token)).Should().ContainSingle().Which.Files.Should().Be(1);
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_live_lease_has_its_key_alone()
    {
        FakeProcess first = Machine.Start(), second = Machine.Start();
        SlotLease lease = await ClaimAsync(first, "MC-1");

        ClaimRefusal refusal = await RefusalAsync(second, "MC-1");

        refusal.Reason.Should().Be(RefusalReason.KeyHeld);
        refusal.Holder.Should().Be(new SlotHolder(lease.Slot, "MC-1", lease.ClaimedAt, LeaseOwner.ForProcess(FakeMachine.Identity(first.Pid)), Liveness.Alive));
        refusal.Message.Should().Contain("MC-1").And.Contain("slot-0").And.Contain($"since {lease.ClaimedAt:u}").And.Contain($"process {first.Pid}").And.Contain("which is alive").And.NotContain(lease.Token.Value);
    }

    [Fact]
    public async Task A_token_gives_its_holder_the_lease_again_and_a_wrong_one_gives_nothing()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");

        SlotLease again = (await process.Pool.TryClaimAsync(new ClaimRequest { Key = "MC-1", Token = lease.Token }, Token)).Lease!;
        again.IsAttached.Should().BeTrue();
        again.Epoch.Should().Be(lease.Epoch);
        ClaimResult forged = await process.Pool.TryClaimAsync(new ClaimRequest { Key = "MC-1", Token = LeaseToken.Create("slot-0", 1) }, Token);
        forged.Refusal!.Reason.Should().Be(RefusalReason.LeaseLost);
        (await process.Pool.TryAttachAsync(LeaseToken.Create("slot-0", 1), Token)).Should().BeNull();
    }

    [Fact]
    public async Task A_branch_that_is_not_the_pools_is_refused_and_stays()
    {
        FakeProcess process = await WithFreeSlotsAsync();
        string commit = Git.NewCommit(Machine.Base);
        Git.SetRef("refs/heads/mine", commit);

        await process.Awaiting(p => ClaimAsync(p, "MC-1", "mine")).Should().ThrowAsync<BranchExistsException>();

        Git.Find("refs/heads/mine").Should().Be(commit);
        await Machine.ShouldBeReadyAsync(0);
    }

    [Fact]
    public async Task A_branch_that_appears_at_the_last_moment_is_not_the_pools_either()
    {
        FakeProcess process = await WithFreeSlotsAsync();
        string commit = Git.NewCommit(Machine.Base);
        Git.At(GitVerb.StartBranch, 1).Do(() => Git.SetRef("refs/heads/mine", commit));

        await process.Awaiting(p => ClaimAsync(p, "MC-1", "mine")).Should().ThrowAsync<BranchExistsException>();
        await process.Pool.MaintainAsync(Token);

        Git.Find("refs/heads/mine").Should().Be(commit);
        await Machine.ShouldBeReadyAsync(0);
    }

    private async Task<FakeProcess> WithFreeSlotsAsync()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        return process;
    }
}
