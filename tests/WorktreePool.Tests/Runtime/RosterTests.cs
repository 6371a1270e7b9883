namespace WorktreePool.Tests.Runtime;

/// <summary>Making a pool, making it larger, making it smaller.</summary>
public sealed class RosterTests : RuntimeTest
{
    [Fact]
    public async Task Making_a_pool_makes_all_its_slots_and_repeating_it_changes_nothing()
    {
        FakeProcess process = Machine.Start();
        (await process.Operator.InitializeAsync(Token)).Counts.Should().Be(new PoolCounts(2, 2, 0, 0, 0, 0, 0));
        PoolState before = await Machine.StateAsync();

        await Machine.Start().Operator.InitializeAsync(Token);

        (await Machine.StateAsync()).Should().BeEquivalentTo(before);
    }

    [Fact]
    public async Task A_pool_grows()
    {
        await Machine.Start().Operator.InitializeAsync(Token);
        await Machine.Start(options => options.Slots = 4).Operator.InitializeAsync(Token);
        await Machine.ShouldBeReadyAsync(3);
    }

    [Fact]
    public async Task A_pool_shrinks_but_keeps_what_is_held_and_says_so()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 4);
        await process.Operator.InitializeAsync(Token);
        for (int number = 0; number < 3; number++)
        {
            await ClaimAsync(process, $"MC-{number}");
        }

        FakeProcess smaller = Machine.Start(options => options.Slots = 2);
        PoolSnapshot snapshot = await smaller.Operator.InitializeAsync(Token);

        snapshot.Slots.Select(slot => slot.Record.Slot).Should().Equal("slot-0", "slot-1", "slot-2");
        (await Machine.StateAsync()).Slots.Select(slot => slot.Slot).Should().Equal("slot-0", "slot-1", "slot-2");
        Machine.Slot(3).Exists.Should().BeFalse();
        Machine.Slot(2).Exists.Should().BeTrue();
    }

    [Fact]
    public async Task A_superfluous_slot_of_a_dead_owner_is_removed_with_its_branch_and_its_work_kept()
    {
        FakeProcess dying = Machine.Start();
        await ClaimAsync(dying, "MC-0");
        await ClaimAsync(dying, "MC-1", "cr/mc-1");
        Machine.Slot(1).Write("work.txt");
        Machine.Slot(1).Commit();
        await Machine.KillAsync(dying);

        await Machine.Start(options => options.Slots = 1).Operator.InitializeAsync(Token);

        (await Machine.StateAsync()).Slots.Should().ContainSingle();
        Machine.Slot(1).Exists.Should().BeFalse();
        (await Git.Rescues.ListAsync(Token)).Should().ContainSingle().Which.Commits.Should().Be(1);
        Git.Find("refs/heads/cr/mc-1").Should().BeNull();
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_slot_whose_work_cannot_be_kept_is_not_removed()
    {
        FakeProcess process = Machine.Start();
        await process.Operator.InitializeAsync(Token);
        Machine.Slot(1).Write("work.txt");
        Git.At(Testing.GitVerb.Rescue).Fail("no space left on device");

        await Machine.Start(options => options.Slots = 1).Operator.Awaiting(o => o.InitializeAsync(Token).AsTask()).Should().ThrowAsync<GitBackendException>();

        Machine.Slot(1).Files.Should().Equal("work.txt");
        (await Machine.StateAsync()).Slots.Should().HaveCount(2);
    }
}
