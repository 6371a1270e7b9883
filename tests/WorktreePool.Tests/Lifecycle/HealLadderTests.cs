using CsCheck;
using WorktreePool.Lifecycle;
using static WorktreePool.Tests.Lifecycle.Arbitrary;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>The ladder: which repair follows which findings, that it ends, and that work is kept before anything destroys it.</summary>
public sealed class HealLadderTests
{
    private static readonly Gen<RepairLevel?> Tried = Gen.OneOf<RepairLevel?>(null, RepairLevel.Reset, RepairLevel.Rebuild, RepairLevel.Recreate);

    private static readonly Gen<string?> Ended = Gen.OneOf(null, "cr/old");

    private static readonly SlotRecord Preparing = new() { Slot = "slot-0", Host = Host, Path = "/p", State = SlotState.Preparing };

    [Fact]
    public void Nothing_is_ready_that_a_probe_did_not_find_ready() =>
        Gen.Select(AnyRecord, Ended, AnyProbe, Tried).Sample((record, ended, probe, tried) =>
            (HealLadder.Next(record, ended, probe, tried).Verdict == PlanVerdict.Ready) == (probe.IsReady && ended is null));

    [Fact]
    public void Work_is_kept_before_it_is_destroyed_and_only_once() =>
        Gen.Select(AnyRecord, Ended, AnyProbe, Tried).Sample((record, ended, probe, tried) =>
        {
            SlotPlan plan = HealLadder.Next(record, ended, probe, tried);
            bool destroys = plan.Actions.Any(action => action is SlotAction.Repair or SlotAction.DeleteBranch);
            bool savesFirst = plan.Actions.Count > 0 && plan.Actions[0] is SlotAction.SaveWork;
            return savesFirst == (destroys && !record.WorkSaved) && plan.Actions.Skip(1).All(action => action is not SlotAction.SaveWork);
        });

    [Fact]
    public void A_branch_is_deleted_only_after_the_repair_that_leaves_it() =>
        Gen.Select(AnyRecord, AnyProbe, Tried).Sample((record, probe, tried) =>
        {
            SlotPlan plan = HealLadder.Next(record, "cr/old", probe, tried);
            return plan.Verdict == PlanVerdict.GiveUp || plan.Actions[^1] == new SlotAction.DeleteBranch("cr/old");
        });

    [Fact]
    public void Whatever_every_probe_finds_the_ladder_ends_after_at_most_three_repairs() =>
        Gen.Select(AnyRecord, Ended, AnyProbe.Array[4]).Sample((record, ended, probes) =>
        {
            RepairLevel? tried = null;
            List<RepairLevel> levels = [];
            foreach (SlotProbe probe in probes)
            {
                SlotPlan plan = HealLadder.Next(record, ended, probe, tried);
                if (plan.Actions.OfType<SlotAction.Repair>().SingleOrDefault() is { } repair)
                {
                    levels.Add(repair.Level);
                    tried = repair.Level;
                }

                if (plan.Verdict != PlanVerdict.Continue)
                {
                    break;
                }
            }

            levels.Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
            levels.Count.Should().BeLessThanOrEqualTo(3);
        });

    [Fact]
    public void At_its_end_the_slot_is_given_up_with_the_findings_as_the_reason_and_nothing_is_destroyed()
    {
        var probe = new SlotProbe([new Finding(FindingIds.NotWritable, "build/ is read-only")], "c1", "slot-0");
        SlotPlan plan = HealLadder.Next(Preparing, "cr/old", probe, RepairLevel.Recreate);
        plan.Verdict.Should().Be(PlanVerdict.GiveUp);
        plan.Actions.Should().BeEmpty();
        plan.Reason.Should().Contain("not-writable").And.Contain("build/ is read-only");
    }

    [Theory]
    [InlineData(FindingIds.OnBranch)]
    [InlineData(FindingIds.WrongCommit)]
    [InlineData(FindingIds.IndexDiffers)]
    [InlineData(FindingIds.IndexUntrusted)]
    [InlineData(FindingIds.TreeDiffers)]
    [InlineData(FindingIds.Untracked)]
    public void A_sound_slot_is_first_reset(string finding) => FirstRung(finding).Should().Be(RepairLevel.Reset);

    [Fact]
    public void Everything_else_starts_at_a_rebuild_alone_or_with_others()
    {
        string[] reset = [FindingIds.OnBranch, FindingIds.WrongCommit, FindingIds.IndexDiffers, FindingIds.IndexUntrusted, FindingIds.TreeDiffers, FindingIds.Untracked];
        foreach (string finding in Findings.Except(reset))
        {
            FirstRung(finding).Should().Be(RepairLevel.Rebuild, finding);
            FirstRung(FindingIds.OnBranch, finding).Should().Be(RepairLevel.Rebuild, finding);
        }
    }

    [Fact]
    public void The_rungs_grow_and_end()
    {
        HealLadder.After(RepairLevel.Reset).Should().Be(RepairLevel.Rebuild);
        HealLadder.After(RepairLevel.Rebuild).Should().Be(RepairLevel.Recreate);
        HealLadder.After(RepairLevel.Recreate).Should().BeNull();
    }

    [Theory]
    [InlineData(SlotState.Preparing, true, null, "claim")]
    [InlineData(SlotState.Cleaning, true, ReleaseMode.Rescue, "release")]
    [InlineData(SlotState.Cleaning, true, null, "reclaim")]
    [InlineData(SlotState.Cleaning, false, null, "heal")]
    public void A_rescue_says_what_found_the_work(SlotState state, bool isLeased, ReleaseMode? releasing, string reason)
    {
        var probe = new SlotProbe([new Finding(FindingIds.Untracked, "a.txt")], "c1", "slot-0");
        HealLadder.Next(Preparing with { State = state, Lease = isLeased ? new LeaseRecord { Key = "K", TokenHash = "h", Owner = LeaseOwner.ForProcess(Worker), Releasing = releasing } : null }, null, probe, null).Actions[0].Should().Be(new SlotAction.SaveWork(reason));
    }

    private static RepairLevel FirstRung(params string[] findings) =>
        HealLadder.Next(Preparing, null, new SlotProbe([.. findings.Select(id => new Finding(id, ""))], "c1", "slot-0"), null).Actions.OfType<SlotAction.Repair>().Single().Level;
}
