using CsCheck;
using WorktreePool.Lifecycle;
using static WorktreePool.Tests.Lifecycle.Arbitrary;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>The rules of a slot's states: as tables where there are few cases, as properties where there are many.</summary>
public sealed class SlotLifecycleTests
{
    private static SlotRecord Leased(LeaseOwner? owner = null) => new()
    {
        Slot = "slot-0",
        Host = Host,
        Path = "/p",
        Admin = "slot-0",
        State = SlotState.Leased,
        Version = 3,
        Epoch = 5,
        Commit = "c1",
        Lease = new LeaseRecord
        {
            Key = "MC-1",
            TokenHash = "hash",
            Owner = owner ?? LeaseOwner.ForProcess(Worker),
            Branch = "cr/a",
            Commit = "c1",
            ClaimedAt = Now,
            CheckedInAt = Now,
            ExpiresAt = owner?.Duration is { } duration ? Now + duration : null,
        },
    };

    [Fact]
    public void What_a_claim_may_do_follows_from_the_state()
    {
        (SlotState State, Liveness Owner, Availability Expected)[] table =
        [
            (SlotState.Free, Liveness.Unknown, Availability.FreeAtTarget),
            (SlotState.Absent, Liveness.Unknown, Availability.Absent),
            (SlotState.Preparing, Liveness.Alive, Availability.InTransit),
            (SlotState.Cleaning, Liveness.Alive, Availability.InTransit),
            (SlotState.Leased, Liveness.Alive, Availability.Unavailable),
            (SlotState.Leased, Liveness.Unknown, Availability.Unavailable),
            (SlotState.Leased, Liveness.Dead, Availability.Dead),
            (SlotState.Quarantined, Liveness.Unknown, Availability.Retryable),
        ];
        foreach ((SlotState state, Liveness owner, Availability expected) in table)
        {
            SlotLifecycle.Assess(Leased() with { State = state }, Host, "c1", owner, Now).Should().Be(expected, "{0}, {1}", state, owner);
        }
    }

    [Fact]
    public void A_free_slot_at_another_commit_is_only_second_best() =>
        SlotLifecycle.Assess(Leased() with { State = SlotState.Free, Lease = null }, Host, "c2", Liveness.Unknown, Now).Should().Be(Availability.Free);

    [Fact]
    public void A_slot_on_another_host_is_never_available() =>
        Gen.Select(AnyRecord, AnyLiveness).Sample((record, owner) =>
            SlotLifecycle.Assess(record with { Host = "elsewhere" }, Host, "c1", owner, Now) == Availability.Unavailable);

    [Fact]
    public void A_live_or_unseen_owner_keeps_its_lease_whatever_the_clock_says() =>
        Gen.Select(AnyTime, Gen.OneOf(Liveness.Alive, Liveness.Unknown)).Sample((now, owner) =>
            SlotLifecycle.Assess(Leased(), Host, "c1", owner, now.AddDays(400)) == Availability.Unavailable
            && SlotLifecycle.Assess(Leased(), Host, "c1", owner, now.AddDays(-400)) == Availability.Unavailable);

    [Fact]
    public void A_dead_owner_loses_its_lease_whatever_the_clock_says() =>
        AnyTime.Sample(now => SlotLifecycle.IsDead(Leased(), Liveness.Dead, now.AddDays(-400)) && SlotLifecycle.IsDead(Leased(), Liveness.Dead, now.AddDays(400)));

    [Fact]
    public void A_duration_lease_ends_at_its_time_and_not_before()
    {
        SlotRecord record = Leased(LeaseOwner.ForDuration(TimeSpan.FromHours(1)));
        SlotLifecycle.IsDead(record, Liveness.Unknown, Now.AddHours(1).AddTicks(-1)).Should().BeFalse();
        SlotLifecycle.IsDead(record, Liveness.Unknown, Now.AddHours(1)).Should().BeTrue();
    }

    [Fact]
    public void A_renewed_lease_lasts_its_duration_from_now_on()
    {
        SlotRecord renewed = SlotLifecycle.Renew(Leased(LeaseOwner.ForDuration(TimeSpan.FromHours(1))), LeaseOwner.ForDuration(TimeSpan.FromHours(2)), Now.AddMinutes(50));
        renewed.Lease!.ExpiresAt.Should().Be(Now.AddMinutes(170));
        renewed.Lease.CheckedInAt.Should().Be(Now.AddMinutes(50));
        renewed.Epoch.Should().Be(5, "the holder stays the same");
        SlotLifecycle.Renew(renewed, LeaseOwner.ForProcess(Worker), Now).Lease!.ExpiresAt.Should().BeNull("a process needs no renewal");
    }

    [Fact]
    public void Whoever_takes_a_slot_gets_a_new_epoch_and_says_so_before_the_disk_is_touched() =>
        Gen.Select(AnyRecord, AnyLease).Sample((before, lease) =>
        {
            SlotRecord claim = SlotLifecycle.BeginClaim(before, lease, Worker, Now);
            SlotRecord clean = SlotLifecycle.BeginClean(before, ReleaseMode.Rescue, Worker, Now);
            claim.Epoch.Should().Be(before.Epoch + 1);
            clean.Epoch.Should().Be(before.Epoch + 1);
            claim.Should().Match<SlotRecord>(record => record.State == SlotState.Preparing && record.Worker == Worker && record.Lease == lease);
            clean.Should().Match<SlotRecord>(record => record.State == SlotState.Cleaning && record.Worker == Worker);
        });

    [Fact]
    public void The_branch_that_a_lease_leaves_is_known_until_it_is_deleted() =>
        Gen.Select(AnyRecord, AnyLease).Sample((before, lease) =>
        {
            string? left = before.EndedBranch ?? before.Lease?.Branch;
            SlotLifecycle.BeginClaim(before, lease, Worker, Now).EndedBranch.Should().Be(left);
            SlotLifecycle.BeginClean(before, null, Worker, Now).EndedBranch.Should().Be(left);
            SlotLifecycle.Abandon(before, Now).EndedBranch.Should().Be(left);
            SlotLifecycle.SetAside(before, "broken", TimeSpan.FromSeconds(30), Now).EndedBranch.Should().Be(left);
            SlotLifecycle.BranchDeleted(before, Now).EndedBranch.Should().BeNull();
        });

    [Fact]
    public void Work_may_be_destroyed_only_if_it_was_kept_or_its_owner_said_discard_or_there_is_none() =>
        Gen.Select(AnyRecord, AnyLease, Gen.OneOf<ReleaseMode?>(null, ReleaseMode.Rescue, ReleaseMode.Discard)).Sample((before, lease, releasing) =>
        {
            bool nothingToKeep = before.State == SlotState.Absent || before.WorkSaved || before.Lease?.Releasing == ReleaseMode.Discard;
            SlotLifecycle.BeginClaim(before, lease, Worker, Now).WorkSaved.Should().Be(nothingToKeep);
            SlotLifecycle.BeginClean(before, releasing, Worker, Now).WorkSaved.Should().Be(nothingToKeep || releasing == ReleaseMode.Discard);
        });

    [Fact]
    public void Work_in_a_slot_that_was_handed_out_freed_or_set_aside_counts_as_new() =>
        AnyRecord.Where(record => record.Lease is not null).Sample(record =>
        {
            SlotLifecycle.CompleteClaim(record, "slot-0", "c1", [], Now).WorkSaved.Should().BeFalse();
            SlotLifecycle.CompleteClean(record, "slot-0", "c1", [], Now).WorkSaved.Should().BeFalse();
            SlotLifecycle.Abandon(record, Now).WorkSaved.Should().BeFalse();
            SlotLifecycle.SetAside(record, "broken", TimeSpan.FromSeconds(30), Now).WorkSaved.Should().BeFalse();
        });

    [Fact]
    public void A_release_that_discards_still_discards_after_a_crash()
    {
        SlotRecord crashed = SlotLifecycle.BeginClean(Leased(), ReleaseMode.Discard, Worker, Now);
        SlotLifecycle.BeginClean(crashed, null, Worker, Now).WorkSaved.Should().BeTrue();
        SlotRecord kept = SlotLifecycle.BeginClean(Leased(), ReleaseMode.Rescue, Worker, Now);
        SlotLifecycle.BeginClean(kept, null, Worker, Now).WorkSaved.Should().BeFalse();
    }

    [Fact]
    public void Only_a_slot_that_was_verified_is_recorded_with_a_commit() =>
        AnyRecord.Sample(record =>
        {
            SlotLifecycle.Abandon(record, Now).Commit.Should().BeNull();
            SlotLifecycle.SetAside(record, "broken", TimeSpan.FromSeconds(30), Now).Commit.Should().BeNull();
            SlotLifecycle.CompleteClean(record, "slot-0", "c2", [], Now).Should().Match<SlotRecord>(free =>
                free.State == SlotState.Free && free.Commit == "c2" && free.Lease == null && free.Worker == null && free.Quarantine == null);
        });

    [Fact]
    public void A_slot_given_back_is_free_or_as_absent_as_it_was() =>
        AnyRecord.Sample(record => SlotLifecycle.Abandon(record, Now).State == (record.Admin is null ? SlotState.Absent : SlotState.Free));

    [Fact]
    public void What_was_healed_is_remembered_until_something_else_is()
    {
        SlotRecord healed = SlotLifecycle.CompleteClean(Leased(), "slot-0", "c1", [FindingIds.OnBranch], Now);
        healed.LastHeal!.Findings.Should().Equal(FindingIds.OnBranch);
        SlotLifecycle.CompleteClean(healed, "slot-0", "c1", [], Now.AddDays(1)).LastHeal.Should().Be(healed.LastHeal);
    }
}
