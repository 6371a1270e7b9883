using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>A release that returns leaves a ready slot, on every path; there is no light one.</summary>
public sealed class ReleaseTests : RuntimeTest
{
    public static TheoryData<string, bool, ReleaseMode> Paths()
    {
        var data = new TheoryData<string, bool, ReleaseMode>();
        foreach (string left in new[] { "nothing", "files", "commit", "other branch", "detached", "broken", "vanished", "damage" })
        {
            foreach (bool withProcess in new[] { true, false })
            {
                data.Add(left, withProcess, ReleaseMode.Rescue);
                data.Add(left, withProcess, ReleaseMode.Discard);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Whatever_the_holder_left_the_slot_is_ready(string left, bool withProcess, ReleaseMode mode)
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1", "cr/mc-1", withProcess ? null : LeaseOwner.ForDuration(TimeSpan.FromHours(1)));
        Leave(left);
        if (mode == ReleaseMode.Discard)
        {
            Git.ExpectDiscard.Add("slot-0");
        }

        ReleaseReport report = await lease.ReleaseAsync(mode, Token);

        await Machine.ShouldBeReadyAsync(0);
        Git.Find("refs/heads/cr/mc-1").Should().BeNull();
        report.Commit.Should().Be(Machine.Base);
        bool leftWork = left is "files" or "commit" or "broken" or "damage";
        report.Rescued.Should().HaveCount(leftWork && mode == ReleaseMode.Rescue ? 1 : 0);
    }

    [Fact]
    public async Task A_release_takes_the_pools_mode_when_it_does_not_say()
    {
        FakeProcess process = Machine.Start(options => options.ReleaseMode = ReleaseMode.Discard);
        SlotLease lease = await ClaimAsync(process, "MC-1");
        Machine.Slot(0).Write("junk.txt");
        Git.ExpectDiscard.Add("slot-0");

        await lease.DisposeAsync();

        await Machine.ShouldBeReadyAsync(0);
        (await Git.Rescues.ListAsync(Token)).Should().BeEmpty();
    }

    [Fact]
    public async Task Work_that_cannot_be_kept_is_not_wiped()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        SlotLease lease = await ClaimAsync(process, "MC-1", "cr/mc-1");
        Machine.Slot(0).Write("work.txt");
        Git.At(GitVerb.Rescue).Fail("no space left on device");

        (await lease.Awaiting(l => l.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<ReleaseIncompleteException>())
            .Which.Message.Should().Contain("slot-0").And.Contain("no space left").And.Contain("quarantined");
        Machine.Slot(0).Files.Should().Equal("work.txt");
        Git.Find("refs/heads/cr/mc-1").Should().NotBeNull("the branch may hold the only copy of its commits");
        Git.ClearScripts();
        Machine.Time.Advance(TimeSpan.FromSeconds(30));
        MaintenanceReport report = await process.Pool.MaintainAsync(Token);

        report.Rescued.Should().ContainSingle();
        await Machine.ShouldBeReadyAsync(0);
        Git.Find("refs/heads/cr/mc-1").Should().BeNull();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_release_that_cannot_begin_happens_once_it_can()
    {
        FakeProcess process = Machine.Start(options => (options.Slots, options.ReleaseTimeout) = (1, TimeSpan.FromSeconds(10))), stuck = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");
        IAsyncDisposable? held = await stuck.Store.TryLockSlotAsync("slot-0", Token);
        Task<ReleaseReport> release = lease.ReleaseAsync(cancellationToken: Token).AsTask();

        Machine.Time.Advance(TimeSpan.FromSeconds(10));

        (await release.Awaiting(r => r.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().ThrowAsync<ReleaseIncompleteException>())
            .Where(e => !e.HasBegun && e.Message.Contains("still held"));
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Leased);
        await held!.DisposeAsync();
        while ((await Machine.RecordAsync(0)).State != SlotState.Free)
        {
            // The process tries again after a while; nobody else asks it to.
            Machine.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            Token.ThrowIfCancellationRequested();
        }

        await Machine.ShouldBeReadyAsync(0);
        await lease.Awaiting(l => l.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        await lease.DisposeAsync();
    }

    [Fact]
    public async Task A_discard_that_crashed_is_still_a_discard()
    {
        FakeProcess dying = Machine.Start(options => options.Slots = 1), next = Machine.Start(options => options.Slots = 1);
        SlotLease lease = await ClaimAsync(dying, "MC-1", owner: LeaseOwner.ForDuration(TimeSpan.FromHours(1)));
        Machine.Slot(0).Write("junk.txt");
        Git.ExpectDiscard.Add("slot-0");
        var gate = new GitGate();
        Git.At(GitVerb.Repair, 1).WaitAt(gate).Fail("its git died with it");
        Task release = lease.ReleaseAsync(ReleaseMode.Discard, Token).AsTask();
        await gate.Reached.WaitAsync(Token);
        await Machine.KillAsync(dying);
        gate.Open();
        await release.Awaiting(r => r).Should().ThrowAsync<Exception>();

        (await ClaimAsync(next, "MC-2")).Slot.Should().Be("slot-0");

        (await Git.Rescues.ListAsync(Token)).Should().BeEmpty();
        Git.Violations.Should().BeEmpty();
    }

    private void Leave(string what)
    {
        ScriptedSlot slot = Machine.Slot(0);
        switch (what)
        {
            case "files":
                slot.Write("a.txt", "b.txt");
                break;
            case "commit":
                slot.Write("a.txt");
                slot.Commit();
                break;
            case "other branch":
                slot.Checkout("mine");
                break;
            case "detached":
                slot.Detach(Machine.Base);
                break;
            case "broken":
                slot.Write("a.txt");
                slot.Break();
                break;
            case "vanished":
                slot.Vanish();
                break;
            case "damage":
                slot.Write("a.txt");
                slot.Damage(FindingIds.AdminResidue, RepairLevel.Rebuild);
                break;
        }
    }
}
