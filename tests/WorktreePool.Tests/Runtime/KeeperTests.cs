using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>Housekeeping between claims.</summary>
public sealed class KeeperTests : RuntimeTest
{
    [Fact]
    public async Task One_pass_makes_every_slot_ready_whatever_became_of_it()
    {
        FakeProcess dying = Machine.Start(options => options.Slots = 4), keeper = Machine.Start(options => options.Slots = 4);
        await ClaimAsync(dying, "MC-1", "cr/mc-1");
        await ClaimAsync(dying, "MC-2");
        await dying.Pool.MaintainAsync(Token);
        Machine.Slot(0).Write("work.txt");
        Machine.Slot(2).Damage(FindingIds.LockStale, RepairLevel.Rebuild);
        Machine.Slot(3).Vanish();
        await Machine.KillAsync(dying);

        MaintenanceReport report = await keeper.Pool.MaintainAsync(Token);

        report.Reclaimed.Should().Equal("slot-0", "slot-1");
        report.Healed.Should().Equal("slot-2", "slot-3");
        report.Rescued.Should().ContainSingle();
        for (int slot = 0; slot < 4; slot++)
        {
            await Machine.ShouldBeReadyAsync(slot);
        }
    }

    [Fact]
    public async Task Old_history_goes_with_a_pass()
    {
        FakeProcess process = Machine.Start(options => options.HistoryRetention = TimeSpan.FromDays(7));
        await (await ClaimAsync(process, "OLD")).ReleaseAsync(cancellationToken: Token);
        Machine.Time.Advance(TimeSpan.FromDays(5));
        await (await ClaimAsync(process, "NEW")).ReleaseAsync(cancellationToken: Token);
        await process.Pool.MaintainAsync(Token);
        (await KeysAsync()).Should().Contain("OLD").And.Contain("NEW");

        Machine.Time.Advance(TimeSpan.FromDays(3));
        await process.Pool.MaintainAsync(Token);

        (await KeysAsync()).Should().Contain("NEW").And.NotContain("OLD");

        async Task<IEnumerable<string?>> KeysAsync() => (await process.Operator.GetHistoryAsync(new HistoryQuery(), Token)).Select(entry => entry.Key);
    }

    [Fact]
    public async Task Old_rescues_go_with_a_pass_and_the_oldest_of_too_many()
    {
        FakeProcess process = Machine.Start(options => (options.RescueRetention, options.RescueCount) = (TimeSpan.FromDays(7), 2));
        foreach (string key in new[] { "OLD", "SECOND", "THIRD", "FOURTH" })
        {
            SlotLease lease = await ClaimAsync(process, key);
            Machine.Slot(0).Write($"{key}.txt");
            await lease.ReleaseAsync(cancellationToken: Token);
            Machine.Time.Advance(TimeSpan.FromDays(1));
        }

        (await KeysAsync()).Should().Equal("FOURTH", "THIRD", "SECOND", "OLD");

        await process.Pool.MaintainAsync(Token);
        (await KeysAsync()).Should().Equal("FOURTH", "THIRD");

        Machine.Time.Advance(TimeSpan.FromDays(5.5));
        await process.Pool.MaintainAsync(Token);
        (await KeysAsync()).Should().Equal(["FOURTH"], "the other is more than seven days old");

        async Task<IEnumerable<string?>> KeysAsync() => (await process.Operator.Rescues.ListAsync(Token)).Select(rescue => rescue.Key);
    }

    [Fact]
    public async Task A_live_lease_is_left_alone_by_pass_and_doctor()
    {
        FakeProcess process = Machine.Start();
        SlotLease lease = await ClaimAsync(process, "MC-1");
        Machine.Slot(0).Write("work.txt");
        SlotRecord before = await Machine.RecordAsync(0);

        await process.Pool.MaintainAsync(Token);
        DoctorReport report = await process.Operator.ExamineAsync(fix: true, Token);

        report.IsReady.Should().BeTrue();
        Machine.Slot(0).Files.Should().Equal("work.txt");
        lease.LostToken.IsCancellationRequested.Should().BeFalse();
        (await Machine.RecordAsync(0)).Should().Be(before);
    }

    [Theory]
    [InlineData(GitVerb.Probe)]
    [InlineData(GitVerb.Repair)]
    [InlineData(GitVerb.Evict)]
    public async Task One_bad_slot_does_not_keep_the_others_from_being_healed(GitVerb verb)
    {
        FakeProcess dying = Machine.Start(), keeper = Machine.Start();
        await ClaimAsync(dying, "MC-1");
        await ClaimAsync(dying, "MC-2");
        var gate = new GitGate();
        Git.At(GitVerb.Probe).WaitAt(gate).Fail("killed");
        Task release = dying.Operator.ReleaseAsync("MC-1", cancellationToken: Token).AsTask();
        await gate.Reached.WaitAsync(Token);
        await Machine.KillAsync(dying);
        gate.Open();
        await release.Awaiting(r => r).Should().ThrowAsync<Exception>();
        Git.ClearScripts();
        Machine.Slot(0).Damage(FindingIds.TreeDiffers);
        Git.At(verb, slot: "slot-0").Fail("bad disk");

        MaintenanceReport report = await keeper.Pool.MaintainAsync(Token);

        report.Quarantined.Should().Equal("slot-0");
        (await Machine.RecordAsync(0)).Quarantine!.Reason.Should().Contain("bad disk");
        await Machine.ShouldBeReadyAsync(1);
    }

    [Fact]
    public async Task A_quarantined_slot_is_retried_by_pass_when_its_time_has_come_and_by_the_doctor_at_once()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        Machine.Slot(0).Damage(FindingIds.NotWritable);
        Git.At(GitVerb.Repair, slot: "slot-0").Fail("read-only");
        (await process.Pool.MaintainAsync(Token)).Quarantined.Should().Equal("slot-0");
        Git.ClearScripts();

        (await process.Pool.MaintainAsync(Token)).Healed.Should().BeEmpty("its time has not come");
        DoctorReport report = await process.Operator.ExamineAsync(fix: true, Token);

        report.Slots[0].Should().Match<SlotExamination>(slot => slot.Fixed && slot.State == SlotState.Quarantined);
        report.Slots[0].Findings.Should().Contain(finding => finding.Id == FindingIds.NotWritable);
        await Machine.ShouldBeReadyAsync(0);
    }

    [Fact]
    public async Task The_doctor_only_looks_unless_it_is_to_fix()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        Machine.Slot(1).Write("x.txt");

        DoctorReport report = await process.Operator.ExamineAsync(fix: false, Token);

        report.IsReady.Should().BeFalse();
        report.Slots[1].Findings.Should().ContainSingle().Which.Id.Should().Be(FindingIds.Untracked);
        Machine.Slot(1).Files.Should().Equal("x.txt");
    }
}
