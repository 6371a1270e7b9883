using WorktreePool.Lifecycle;
using static WorktreePool.Tests.Lifecycle.Arbitrary;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>Of the free slots a claim gets the one that is nearest to what it needs.</summary>
public sealed class AffinityTests
{
    /// <summary>Each slot is better for a claim of MC-1 on cr/a at c1 than all after it.</summary>
    private static readonly SlotRecord[] BestFirst =
    [
        Free(8) with { LastUse = new SlotUse("MC-1", null), Commit = "c2" },
        Free(7) with { LastUse = new SlotUse("MC-2", "cr/a"), Commit = "c2" },
        Free(6) with { SetUp = Warm("npm", "build"), Commit = "c2" },
        Free(5) with { SetUp = Warm("npm"), Commit = "c1" },
        Free(4) with { LastUse = new SlotUse("MC-2", "cr/b"), Commit = "c1" },
        Free(3) with { Commit = "c2", UpdatedAt = Now },
        Free(2) with { Commit = "c3", UpdatedAt = Now.AddHours(-1) },
        Free(1) with { State = SlotState.Absent, Admin = null, Commit = null },
        Free(0) with { State = SlotState.Quarantined, LastUse = new SlotUse("MC-1", "cr/a"), Quarantine = new QuarantineRecord("broken", Now.AddHours(-1), 1) },
    ];

    [Fact]
    public void Same_key_then_same_branch_then_what_is_set_up_then_the_commit_then_the_last_left() =>
        Choose(BestFirst.Reverse(), "MC-1", "cr/a").Should().Equal(BestFirst);

    [Fact]
    public void Among_equals_the_order_of_the_slots_stays()
    {
        SlotRecord[] equal = [Free(0), Free(1), Free(2)];
        Choose(equal, "MC-1", null).Should().Equal(equal);
    }

    [Fact]
    public void No_branch_is_like_no_other()
    {
        SlotRecord other = Free(0), without = Free(1) with { LastUse = new SlotUse("MC-2", null) };
        Choose([other, without], "MC-1", null).Should().Equal(other, without);
    }

    [Fact]
    public void What_a_slot_was_held_for_is_known_once_the_lease_has_ended()
    {
        SlotRecord cleaning = Free(0) with { State = SlotState.Cleaning, Lease = new LeaseRecord { Key = "MC-1", TokenHash = "h", Owner = LeaseOwner.ForProcess(Worker), Branch = "cr/a" } };
        SlotLifecycle.CompleteClean(cleaning, "slot-0", "c1", [], Now).LastUse.Should().Be(new SlotUse("MC-1", "cr/a"));
        SlotLifecycle.SetAside(cleaning, "broken", TimeSpan.FromSeconds(1), Now).LastUse.Should().Be(new SlotUse("MC-1", "cr/a"));
        SlotLifecycle.Abandon(cleaning with { State = SlotState.Preparing }, Now).LastUse.Should().BeNull("the claim never held it");
    }

    [Fact]
    public void A_step_is_fresh_when_definition_inputs_and_results_are_the_same()
    {
        var stamp = new SetUpStamp("npm", "f", "m");
        SetUpPolicy.IsFresh(stamp, "f", "m").Should().BeTrue();
        SetUpPolicy.IsFresh(stamp, "f", null).Should().BeTrue("it was not looked at");
        SetUpPolicy.IsFresh(stamp, "other", "m").Should().BeFalse();
        SetUpPolicy.IsFresh(stamp, "f", "other").Should().BeFalse();
        SetUpPolicy.IsFresh(null, "f", "m").Should().BeFalse();
        SlotRecord record = Free(0) with { SetUp = Warm("npm", "build") };
        SetUpPolicy.StampOf(record, 1, "build").Should().NotBeNull();
        SetUpPolicy.StampOf(record, 0, "build").Should().BeNull("it ran after another step");
        SetUpPolicy.StampOf(record, 2, "build").Should().BeNull();
    }

    private static Candidates Choose(IEnumerable<SlotRecord> records, string key, string? branch) =>
        ClaimSelection.Choose([.. records], key, branch, "c1", Host, _ => Liveness.Alive, Now).Candidates;

    private static SetUpRecord Warm(params string[] steps) => new([], [.. steps.Select(step => new SetUpStamp(step, "f", "m"))]);

    private static SlotRecord Free(int number) => new()
    {
        Slot = $"slot-{number}",
        Host = Host,
        Path = "/p",
        Admin = $"slot-{number}",
        State = SlotState.Free,
        Commit = "c1",
        UpdatedAt = Now.AddDays(-1),
    };
}
