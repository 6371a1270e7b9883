using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>The base is what the remote says, not what somebody in a slot wrote into a tracking ref.</summary>
public sealed class BaseTests : RuntimeTest
{
    [Fact]
    public async Task A_base_moved_by_a_worker_is_not_believed()
    {
        FakeProcess process = Machine.Start();
        string real = (await ClaimAsync(process, "MC-1")).Commit;
        Git.SetRef(Git.DefaultBase, Git.NewCommit(real));

        (await ClaimAsync(process, "MC-2")).Commit.Should().Be(real);
        Git.Calls.Should().ContainSingle(call => call.Verb == GitVerb.Fetch);
    }

    [Fact]
    public async Task A_base_moved_by_a_worker_is_not_believed_when_the_remote_cannot_be_asked_either()
    {
        FakeProcess process = Machine.Start();
        string real = (await ClaimAsync(process, "MC-1")).Commit;
        Git.SetRef(Git.DefaultBase, Git.NewCommit(real));
        Git.At(GitVerb.Fetch).Fail("could not resolve host");

        (await ClaimAsync(process, "MC-2")).Commit.Should().Be(real);
    }

    [Fact]
    public async Task A_base_that_moved_at_the_remote_is_followed()
    {
        FakeProcess process = Machine.Start();
        string old = (await ClaimAsync(process, "MC-1")).Commit;
        string moved = Git.NewCommit(old);
        Git.SetRemote(Git.DefaultBase, moved);
        Git.SetRef(Git.DefaultBase, moved);

        (await ClaimAsync(process, "MC-2")).Commit.Should().Be(moved);
        (await Machine.StateAsync()).Pool.Base!.Commit.Should().Be(moved);
    }

    [Fact]
    public async Task A_ready_slot_moves_to_another_base_and_nothing_is_kept_or_healed()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        await (await ClaimAsync(process, "MC-1")).ReleaseAsync(cancellationToken: Token);
        string moved = Git.NewCommit(Machine.Base);

        SlotLease lease = await process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-2", Base = moved }, Token);

        lease.Commit.Should().Be(moved);
        Machine.Slot(0).Head.Should().Be(moved);
        lease.Healed.Should().BeEmpty("it was ready where it was left");
        CallsOn(0, GitVerb.Rescue).Should().BeEmpty("nobody worked in it");
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_slot_that_moves_to_another_base_is_looked_through_for_work_unless_it_is_ready_where_it_was_left()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        await (await ClaimAsync(process, "MC-1")).ReleaseAsync(cancellationToken: Token);
        Machine.Slot(0).Write("work.txt");

        SlotLease lease = await process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-2", Base = Git.NewCommit(Machine.Base) }, Token);

        lease.Rescued.Should().ContainSingle();
        lease.Healed.Should().Contain(FindingIds.WrongCommit).And.Contain(FindingIds.Untracked);
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task A_base_that_a_worker_deleted_comes_back()
    {
        FakeProcess process = Machine.Start();
        string real = (await ClaimAsync(process, "MC-1")).Commit;
        Git.RemoveRef(Git.DefaultBase);

        (await ClaimAsync(process, "MC-2")).Commit.Should().Be(real);
        (await ClaimAsync(Machine.Start(options => options.Slots = 3), "MC-3")).Commit.Should().Be(real);
    }

    [Fact]
    public async Task A_fetch_that_hangs_leaves_the_claim_time_to_do_its_work()
    {
        FakeProcess process = Machine.Start(options => options.ClaimTimeout = TimeSpan.FromSeconds(30));
        string real = (await ClaimAsync(process, "MC-1")).Commit;
        Git.SetRef(Git.DefaultBase, Git.NewCommit(real));
        Git.At(GitVerb.Fetch).Hang();
        Task<SlotLease> claim = ClaimAsync(process, "MC-2");

        Machine.Time.Advance(TimeSpan.FromSeconds(15));

        (await claim).Commit.Should().Be(real);
    }

    [Fact]
    public async Task A_claim_may_name_a_base_of_its_own()
    {
        string other = Git.NewCommit(Machine.Base);
        Git.SetRef("refs/heads/feature", other);
        FakeProcess process = Machine.Start();

        SlotLease lease = await process.Pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Base = "feature" }, Token);

        lease.Commit.Should().Be(other);
        await lease.ReleaseAsync(cancellationToken: Token);
        await Machine.ShouldBeReadyAsync(0);
    }

    [Fact]
    public async Task A_base_that_names_nothing_is_told_before_any_slot_is_touched()
    {
        await Machine.Start(options => options.Base = "no/such").Awaiting(process => ClaimAsync(process, "MC-1")).Should().ThrowAsync<BaseNotFoundException>();
        (await Machine.StateAsync()).Slots.Should().BeEmpty();
    }
}
