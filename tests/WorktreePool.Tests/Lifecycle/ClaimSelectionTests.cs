using CsCheck;
using WorktreePool.Lifecycle;
using static WorktreePool.Tests.Lifecycle.Arbitrary;

namespace WorktreePool.Tests.Lifecycle;

/// <summary>Which slot a claim tries.</summary>
public sealed class ClaimSelectionTests
{
    /// <summary>A pool as a store keeps it: no two records with one key.</summary>
    private static readonly Gen<SlotRecord[]> Pool = AnyRecord.Array[1, 8].Select(records => records.Select((record, number) => record with
    {
        Slot = $"slot-{number}",
        Lease = record.Lease is { } lease ? lease with { Key = $"K-{number}" } : null,
    }).ToArray());

    private static readonly Gen<string> Key = Gen.OneOf("K-0", "K-1", "new");

    [Fact]
    public void No_live_lease_is_ever_a_candidate_nor_a_slot_of_another_host() =>
        Gen.Select(Pool, Key, AnyLiveness.Array[8], AnyCommit).Sample((pool, key, owners, commit) =>
            Choose(pool, key, commit, owners).Candidates.All(record => record.Host == Host
                && (record.State != SlotState.Leased || SlotLifecycle.IsDead(record, OwnerOf(record, owners), Now))));

    [Fact]
    public void Candidates_come_best_first_and_every_slot_that_can_be_had_is_one() =>
        Gen.Select(Pool, AnyLiveness.Array[8], AnyCommit).Sample((pool, owners, commit) =>
        {
            Candidates candidates = Choose(pool, "new", commit, owners).Candidates;
            SlotRecord? first = candidates.FirstOrDefault();
            candidates.Should().Equal(candidates.ToList(), "who asks again is told the same").And.HaveCount(candidates.Count);
            candidates.FirstOrDefault().Should().BeSameAs(first, "nobody need put all in order to know the best");
            List<Availability> order = [.. candidates.Select(record => SlotLifecycle.Assess(record, Host, commit, OwnerOf(record, owners), Now))];
            order.Should().BeInAscendingOrder();
            order.Should().HaveCount(pool.Count(record => SlotLifecycle.Assess(record, Host, commit, OwnerOf(record, owners), Now) != Availability.Unavailable));
        });

    [Fact]
    public void A_key_that_some_slot_has_is_never_given_another_slot() =>
        Gen.Select(Pool, Key, AnyLiveness.Array[8], AnyCommit).Sample((pool, key, owners, commit) =>
        {
            ClaimChoice choice = Choose(pool, key, commit, owners);
            SlotRecord? holder = pool.SingleOrDefault(record => record.Lease?.Key == key);
            choice.KeyHolder.Should().Be(holder);
            if (holder is not null)
            {
                choice.Candidates.Should().BeSubsetOf([holder]);
            }
        });

    [Fact]
    public void A_dead_holder_of_the_key_is_succeeded_in_its_own_slot()
    {
        SlotRecord dead = Slot(0, SlotState.Leased, "MC-1"), free = Slot(1, SlotState.Free, null);
        ClaimSelection.Choose([free, dead], "MC-1", null, "c1", Host, _ => Liveness.Dead, Now).Candidates.Should().Equal(dead);
        ClaimSelection.Choose([free, dead], "MC-1", null, "c1", Host, _ => Liveness.Alive, Now).Candidates.Should().BeEmpty();
    }

    [Fact]
    public void The_slot_in_which_a_lease_that_is_gone_left_the_branch_comes_first()
    {
        // Found by the model: MC-1 died with its branch, and so did the next claim while it took over that slot. The free one could not have the branch.
        SlotRecord free = Slot(0, SlotState.Free, null), left = Slot(1, SlotState.Preparing, "MC-2") with { EndedBranch = "cr/mc-1", Worker = Worker }, dead = Slot(2, SlotState.Leased, "MC-3");
        dead = dead with { Lease = dead.Lease! with { Branch = "cr/mc-3" } };

        Take("cr/mc-1", Liveness.Dead).Should().Equal(left, free, dead);
        Take("cr/mc-3", Liveness.Dead).Should().Equal(dead, free, left);
        Take("cr/mc-4", Liveness.Dead).First().Should().Be(free);
        Take(null, Liveness.Dead).First().Should().Be(free);
        Take("cr/mc-3", Liveness.Alive).Should().NotContain(dead);

        Candidates Take(string? branch, Liveness owners) => ClaimSelection.Choose([free, left, dead], "MC-1", branch, "c1", Host, _ => owners, Now).Candidates;
    }

    private static SlotRecord Slot(int number, SlotState state, string? key) => new()
    {
        Slot = $"slot-{number}",
        Host = Host,
        Path = "/p",
        State = state,
        Lease = key is null ? null : new LeaseRecord { Key = key, TokenHash = "hash", Owner = LeaseOwner.ForProcess(Worker) },
    };

    private static ClaimChoice Choose(SlotRecord[] pool, string key, string commit, Liveness[] owners) =>
        ClaimSelection.Choose(pool, key, null, commit, Host, record => OwnerOf(record, owners), Now);

    private static Liveness OwnerOf(SlotRecord record, Liveness[] owners) => owners[Names.Number(record.Slot)];
}
