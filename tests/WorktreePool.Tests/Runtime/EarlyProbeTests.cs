using WorktreePool.Runtime;
using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>A free slot is looked at while the intent of its claim is written.</summary>
public sealed class EarlyProbeTests : RuntimeTest
{
    private static readonly SlotRecord Free = new() { Slot = "slot-0", Host = "host", Path = "/slot-0", State = SlotState.Free, Commit = new string('a', 40) };

    [Fact]
    public async Task One_that_is_not_wanted_has_ended_when_its_end_is_told()
    {
        Git.At(GitVerb.Probe).Hang();
        EarlyProbe probe = EarlyProbe.TryBegin(Git, Free, Free.Commit!, Token)!;
        probe.Result.IsCompleted.Should().BeFalse();

        await probe.EndAsync();

        probe.Result.IsCanceled.Should().BeTrue();
        await probe.DisposeAsync();
    }

    [Fact]
    public void Only_a_free_slot_that_was_left_somewhere_is_looked_at_before_the_intent_is_written()
    {
        EarlyProbe.TryBegin(Git, Free with { State = SlotState.Leased }, Free.Commit!, Token).Should().BeNull();
        EarlyProbe.TryBegin(Git, Free with { Commit = null }, Free.Commit!, Token).Should().BeNull();
        Git.Calls.Should().BeEmpty();
    }

    [Fact]
    public async Task A_slot_that_moves_is_looked_at_once_where_it_was_and_once_where_it_went()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        await (await ClaimAsync(process, "first")).ReleaseAsync(cancellationToken: Token);
        int before = Git.Calls.Count;
        string left = Git.Find(Git.DefaultBase)!, wanted = Git.NewCommit(left);

        SlotLease lease = await process.Pool.ClaimAsync(new ClaimRequest { Key = "second", Base = wanted }, Token);

        Git.Calls.Skip(before).Where(call => call.Slot == "slot-0").Select(call => call.Verb).Should().Equal(GitVerb.Probe, GitVerb.Repair, GitVerb.Probe);
        Git.Calls.Skip(before).First(call => call.Slot == "slot-0").Argument.Should().Contain(left);
        lease.Healed.Should().BeEmpty();
        Git.Violations.Should().BeEmpty();
    }
}
