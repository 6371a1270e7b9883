using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>How old the base of a claim may be.</summary>
public sealed class BaseAgeTests : RuntimeTest
{
    [Fact]
    public async Task A_claim_gets_a_base_that_is_as_new_as_it_demands()
    {
        FakeProcess process = Machine.Start();
        string old = (await ClaimAsync(process, "A")).Commit;
        string next = Git.NewCommit(old);
        Git.SetRemote(Git.DefaultBase, next);

        (await CommitOfAsync(process, null)).Should().Be(old, "any age will do");
        (await CommitOfAsync(process, TimeSpan.FromMinutes(5))).Should().Be(next, "it was never fetched");

        string last = Git.NewCommit(next);
        Git.SetRemote(Git.DefaultBase, last);
        Machine.Time.Advance(TimeSpan.FromMinutes(4));
        (await CommitOfAsync(process, TimeSpan.FromMinutes(5))).Should().Be(next, "it was fetched four minutes ago");
        Machine.Time.Advance(TimeSpan.FromMinutes(1));
        (await CommitOfAsync(process, TimeSpan.FromMinutes(5))).Should().Be(last);
        (await CommitOfAsync(process, TimeSpan.Zero)).Should().Be(last);
        Git.Calls.Count(call => call.Verb == GitVerb.Fetch).Should().Be(3);
    }

    [Fact]
    public async Task What_one_process_fetched_is_known_to_the_others()
    {
        FakeProcess one = Machine.Start(), other = Machine.Start();
        await CommitOfAsync(one, TimeSpan.FromMinutes(1));
        await CommitOfAsync(other, TimeSpan.FromMinutes(1));

        Git.Calls.Count(call => call.Verb == GitVerb.Fetch).Should().Be(1);
    }

    [Fact]
    public async Task Processes_that_want_the_newest_base_at_once_fetch_one_at_a_time_and_share_what_came_in_time()
    {
        List<FakeProcess> processes = [.. Enumerable.Range(0, 6).Select(_ => Machine.Start(options => options.Slots = 6))];
        await processes[0].Pool.MaintainAsync(Token);
        Machine.Time.Advance(TimeSpan.FromMinutes(10));
        Git.ClearScripts();
        int before = Git.Calls.Count(call => call.Verb == GitVerb.Fetch);
        (int running, int most) = (0, 0);
        var gate = new GitGate();
        Git.At(GitVerb.Fetch).Do(() => most = Math.Max(most, Interlocked.Increment(ref running))).WaitAt(gate).Do(() => Interlocked.Decrement(ref running));
        string next = Git.NewCommit(Machine.Base);
        Git.SetRemote(Git.DefaultBase, next);

        Task<string>[] claims = [.. processes.Select(process => Task.Run(() => CommitOfAsync(process, TimeSpan.FromMinutes(5)), Token))];
        await gate.Reached.WaitAsync(Token);
        gate.Open();
        string[] commits = await Task.WhenAll(claims);

        commits.Should().OnlyContain(commit => commit == next);
        most.Should().Be(1);
        Git.Calls.Count(call => call.Verb == GitVerb.Fetch).Should().Be(before + 1, "five wait for the first one's");
    }

    [Fact]
    public async Task A_process_that_dies_in_its_fetch_stops_nobody()
    {
        FakeProcess dying = Machine.Start(), other = Machine.Start();
        await other.Pool.MaintainAsync(Token);
        var never = new GitGate();
        Git.At(GitVerb.Fetch, 1).WaitAt(never);
        Task lost = CommitOfAsync(dying, TimeSpan.Zero);
        await never.Reached.WaitAsync(Token);

        await Machine.KillAsync(dying);

        Task<string> claim = CommitOfAsync(other, TimeSpan.Zero);
        await UntilAsync(() => claim.IsCompleted);
        (await claim).Should().Be(Machine.Base);
        never.Open();
        await lost.Awaiting(task => task).Should().ThrowAsync<Exception>();
    }

    [Fact]
    public async Task A_base_that_cannot_be_fetched_is_too_old_and_nothing_is_claimed()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        Machine.Time.Advance(TimeSpan.FromMinutes(2));
        Git.At(GitVerb.Fetch).Fail("no route to host");

        (await process.Pool.Awaiting(pool => CommitOfAsync(process, TimeSpan.FromMinutes(1))).Should().ThrowAsync<BaseTooOldException>())
            .WithMessage("*no route to host*No slot was claimed*");

        await Machine.ShouldBeReadyAsync(0);
        (await CommitOfAsync(process, TimeSpan.FromMinutes(3))).Should().Be(Machine.Base);
    }

    [Fact]
    public async Task A_remote_that_hangs_leaves_the_claim_half_of_its_time()
    {
        FakeProcess process = Machine.Start(options => options.ClaimTimeout = TimeSpan.FromSeconds(10));
        Git.At(GitVerb.Fetch).Hang();
        long start = Machine.Time.GetTimestamp();
        Task<ClaimResult> claim = process.Pool.TryClaimAsync(new ClaimRequest { Key = "A", MaxBaseAge = TimeSpan.Zero }, Token).AsTask();

        await UntilAsync(() => claim.IsCompleted, TimeSpan.FromMilliseconds(100));

        await claim.Awaiting(c => c).Should().ThrowAsync<BaseTooOldException>().WithMessage("*did not answer*");
        Machine.Time.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task A_clock_that_was_set_back_makes_no_base_young()
    {
        FakeProcess process = Machine.Start();
        await process.Pool.MaintainAsync(Token);
        PoolRecord pool = (await Machine.StateAsync()).Pool;
        await process.Store.CompareAndSetPoolAsync(pool.Version, pool with { Base = pool.Base! with { FetchedAt = Machine.Time.GetUtcNow().AddDays(1) } }, Token);
        string next = Git.NewCommit(Machine.Base);
        Git.SetRemote(Git.DefaultBase, next);

        (await CommitOfAsync(process, TimeSpan.FromHours(1))).Should().Be(next);
    }

    [Fact]
    public async Task A_local_branch_is_never_old_and_another_tracking_ref_is_asked_for_each_time()
    {
        FakeProcess process = Machine.Start();
        string release = Git.NewCommit(Machine.Base);
        Git.SetRef("refs/remotes/origin/release", Machine.Base);
        Git.SetRemote("refs/remotes/origin/release", release);

        (await CommitOfAsync(process, TimeSpan.Zero, "refs/heads/main")).Should().Be(Git.Find("refs/heads/main"));
        Git.Calls.Should().NotContain(call => call.Verb == GitVerb.Fetch);
        (await CommitOfAsync(process, TimeSpan.FromHours(1), "refs/remotes/origin/release")).Should().Be(release);
    }

    private static async Task<string> CommitOfAsync(FakeProcess process, TimeSpan? maxAge, string? @base = null)
    {
        await using SlotLease lease = await process.Pool.ClaimAsync(new ClaimRequest { Key = $"K-{Guid.NewGuid()}", MaxBaseAge = maxAge, Base = @base }, Token);
        return lease.Commit;
    }
}
