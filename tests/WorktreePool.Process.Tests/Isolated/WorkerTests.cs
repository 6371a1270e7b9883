using System.Text.Json;

namespace WorktreePool.Process.Tests.Isolated;

/// <summary>What workers make in a repository that all slots share: pushed work needs no rescue, strays are rescued and gone, and a live lease keeps its own.</summary>
public sealed class WorkerTests : IAsyncLifetime
{
    private readonly IsolatedPool _pool = new(byCommand: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task A_pool_of_a_remote_alone_commits_and_pushes()
    {
        await _pool.InitAsync(1, null, _pool.Origin);
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        _pool.Shell(path, "echo a > a.txt; git add -A; git commit -qm a; git push -q origin HEAD:refs/heads/cr/a; git fetch -q");

        (await _pool.ReleaseAsync("A")).Should().BeEmpty("the remote has it");
        _pool.Refs().Should().BeEquivalentTo("remotes/origin/HEAD", "remotes/origin/main", "remotes/origin/cr/a");
        Sandbox.Git(_pool.Origin, "show", "cr/a:a.txt").Should().Be("a");

        // A branch of the remote's is a base like the default one, and what somebody else pushed to it is fetched.
        string pushed = _pool.Push("cr/b");
        Held next = await _pool.ClaimAsync("B", "cr/c", "cr/a");
        next.Healed.Should().BeEmpty("it only moves: {0}", next);
        path = next.Path;
        _pool.Shell(path, $"git fetch -q; test \"$(git rev-parse origin/cr/b)\" = {pushed}; echo c > c.txt; git add -A; git commit -qm c");

        string id = (await _pool.ReleaseAsync("B")).Should().ContainSingle().Subject;
        _pool.Refs().Should().Contain("remotes/origin/cr/b").And.NotContain(name => name.StartsWith("heads/", StringComparison.Ordinal));

        // Without a clone a rescue is restored in the pool's repository, which then leaves the branch alone.
        await _pool.RestoreAsync(id, "back");
        await _pool.ClaimAsync("C");
        await _pool.ReleaseAsync("C");
        Sandbox.Git(_pool.Own, "show", "back:c.txt").Should().Be("c");
    }

    [Fact]
    public async Task Strays_are_rescued_each_by_itself_and_come_back_in_the_users_clone()
    {
        await _pool.InitAsync(1, _pool.Sandbox.Repository, null);
        var clone = DirectoryTree.Read(_pool.Sandbox.Repository);
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        _pool.Shell(path, """
            c() { echo $1 > work.txt; git add -A; git commit -qm $1; }
            git checkout -q -b stray origin/main; c branch; git checkout -q --detach origin/main; c tag; git tag v9 HEAD; git tag -am t v10 HEAD
            git checkout -q --detach origin/main; c note; git update-ref refs/anything/deep HEAD
            git checkout -q --detach origin/main; echo stash > work.txt; git add work.txt; git stash -q; echo older > work.txt; git add work.txt; git stash -q
            git worktree add -q --detach $ROOT/aside origin/main; cd $ROOT/aside; c worktree; cd -
            git checkout -q cr/a; c own; echo uncommitted > work.txt
            """);

        (await _pool.ReleaseAsync("A")).Length.Should().BeGreaterThanOrEqualTo(6);

        _pool.Refs().Should().BeEquivalentTo("remotes/origin/HEAD", "remotes/origin/main");
        _pool.Rescued("work.txt").Should().BeEquivalentTo("branch", "tag", "note", "stash", "older", "worktree", "uncommitted");
        Directory.EnumerateDirectories(Path.Combine(_pool.Own, "worktrees")).Should().ContainSingle("a worktree that is no slot's goes from the repository; its files stay");
        File.Exists(Path.Combine(_pool.Root, "aside", "work.txt")).Should().BeTrue();
        clone.ShouldBeUnchanged("it is the user's");

        JsonElement[] rescues = [.. (await _pool.RunAsync("rescue", "list")).Json.GetProperty("rescues").EnumerateArray()];
        JsonElement own = rescues.Single(rescue => rescue.GetProperty("reason").GetString()!.Contains("refs/heads/stray", StringComparison.Ordinal));
        own.GetProperty("key").GetString().Should().Be("A", "it was made there");
        await _pool.RestoreAsync(own.GetProperty("id").GetString()!, "back");
        Sandbox.Git(_pool.Sandbox.Repository, "show", "back:work.txt").Should().Be("branch");

        Held next = await _pool.ClaimAsync("B");
        next.Healed.Should().BeEmpty(next.ToString());
        Sandbox.Git(next.Path, "stash", "list").Should().BeEmpty();
    }

    [Fact]
    public async Task Refs_of_names_that_nobody_can_say_are_rescued()
    {
        await _pool.InitAsync(2, null, _pool.Origin);
        string path = (await _pool.ClaimAsync("A")).Path;
        await _pool.ClaimAsync("B");
        _pool.Shell(path, """
            c() { git checkout -q --detach origin/main; echo $1 > work.txt; git add -A; git commit -qm $1; }
            c packed; git branch "$(printf 'p\377')"; git -C $OWN pack-refs --all
            c loose; git branch "$(printf 'l\377')"; c deep; git branch "$(printf 'd\377/x')"; c planted; git rev-parse HEAD > "$OWN/refs/heads/a..b"; echo junk > "$OWN/refs/heads/$(printf 'j\377')"
            git checkout -q --detach origin/main
            """);

        await _pool.ReleaseAsync("A");
        _pool.Shell(path, "git -C $OWN rev-parse -q --verify \"$(printf 'l\\377')\"");
        await _pool.ReleaseAsync("B");

        // Not for the pool, but for the library's own way to remove a directory, by which the test ends.
        _pool.Shell(_pool.Root, "rm -r $OWN/logs/refs");
        _pool.Rescued("work.txt").Should().BeEquivalentTo("packed", "loose", "deep", "planted");
        await _pool.ClaimAsync("C");
        await _pool.ReleaseAsync("C");
        _pool.Refs().Should().BeEquivalentTo("remotes/origin/HEAD", "remotes/origin/main");
        Directory.EnumerateFileSystemEntries(Path.Combine(_pool.Own, "refs", "heads"), "*", SearchOption.AllDirectories).Where(File.Exists).Should().BeEmpty();
    }

    [Fact]
    public async Task A_stray_of_which_a_file_is_lost_is_rescued_without_it()
    {
        await _pool.InitAsync(1, null, _pool.Origin);
        string path = (await _pool.ClaimAsync("A")).Path;
        _pool.Shell(path, """
            echo work > work.txt; echo lost > lost.txt; git checkout -q -b stray; git add -A; git commit -qm stray; git checkout -q --detach origin/main
            rm -f "$OWN/objects/$(git rev-parse stray:lost.txt | sed 's,..,&/,')"
            """);

        (await _pool.ReleaseAsync("A")).Should().ContainSingle();

        _pool.Rescued("work.txt").Should().Equal(["work"]);
        (await _pool.ClaimAsync("B")).Healed.Should().BeEmpty();
    }

    [Fact]
    public async Task What_is_discarded_leaves_nothing()
    {
        await _pool.InitAsync(1, null, _pool.Origin);
        string path = (await _pool.ClaimAsync("A")).Path;
        _pool.Shell(path, "git checkout -q -b stray; echo x > x.txt; git add -A; git commit -qm x; echo y > y.txt; git stash -uq");

        (await _pool.ReleaseAsync("A", discard: true)).Should().BeEmpty();

        _pool.Refs().Should().BeEquivalentTo("remotes/origin/HEAD", "remotes/origin/main");
    }

    [Fact]
    public async Task A_rescue_that_a_worker_moves_or_deletes_is_put_back()
    {
        await _pool.InitAsync(1, null, _pool.Origin);
        string path = (await _pool.ClaimAsync("A")).Path;
        _pool.Shell(path, "echo precious > work.txt");
        string first = (await _pool.ReleaseAsync("A")).Single();
        await _pool.ClaimAsync("B");
        _pool.Shell(path, "echo more > more.txt");
        string second = (await _pool.ReleaseAsync("B")).Single();
        await _pool.ClaimAsync("C");
        _pool.Shell(path, $"echo other > other.txt; git add -A; git commit -qm other; git update-ref refs/worktree-pool/rescue/{first} HEAD; git checkout -q --detach origin/main; git update-ref -d refs/worktree-pool/rescue/{second}");

        await _pool.ReleaseAsync("C");

        Sandbox.Git(_pool.Own, "show", $"refs/worktree-pool/rescue/{first}:work.txt").Should().Be("precious");
        Sandbox.Git(_pool.Own, "show", $"refs/worktree-pool/rescue/{second}:more.txt").Should().Be("more");
        _pool.Rescued("other.txt").Should().Equal(["other"], "what was put in its place is work, too");
    }

    [Fact]
    public async Task A_live_lease_keeps_what_is_its_own_while_another_is_swept()
    {
        await _pool.InitAsync(2, null, _pool.Origin);
        string mine = (await _pool.ClaimAsync("A", "cr/a")).Path;
        string theirs = (await _pool.ClaimAsync("B", "cr/b")).Path;
        string pushed = _pool.Push("topic");
        _pool.Shell(mine, """
            echo one > a.txt; git add -A; git commit -qm one; git branch side; git tag a-tag
            echo stashed > s.txt; git add -A; git stash -q; git fetch -q
            git update-ref refs/worktree/mine HEAD; git bisect start -q HEAD HEAD~1 2> /dev/null || true; git bisect reset -q 2> /dev/null || true
            git pack-refs --all
            """);
        _pool.Shell(theirs, "echo two > b.txt; git add -A; git commit -qm two; git branch their-side; git tag b-tag; echo x > x.txt; git add -A; git stash -q");
        string before = State();

        (await _pool.ReleaseAsync("B")).Should().NotBeEmpty();
        (await _pool.RunAsync("maintain")).Code.Should().Be(0);
        await _pool.ClaimAsync("C");
        await _pool.ReleaseAsync("C");

        State().Should().Be(before);
        Sandbox.Git(mine, "rev-parse", "origin/topic").Should().Be(pushed);
        _pool.Refs().Should().NotContain("heads/cr/b").And.NotContain("heads/their-side").And.NotContain("tags/b-tag");

        await _pool.ReleaseAsync("A", discard: true);
        _pool.Refs().Should().BeEquivalentTo(["remotes/origin/HEAD", "remotes/origin/main", "remotes/origin/topic"]);
        _pool.Rescued("b.txt").Should().Contain("two", "its holder did not discard it");
        _pool.Rescued("x.txt").Should().Contain("x", "one stack holds the stashes of both");

        string State() => string.Join('\n', Sandbox.Git(mine, "symbolic-ref", "HEAD"), Sandbox.Git(mine, "rev-parse", "HEAD", "side", "a-tag", "refs/worktree/mine"), Sandbox.Git(mine, "log", "-g", "--format=%H", "refs/stash"), Sandbox.Git(mine, "status", "--porcelain"));
    }

    [Fact]
    public async Task Two_inits_at_once_make_one_pool()
    {
        System.Diagnostics.Process[] inits = [.. Enumerable.Range(0, 3).Select(_ => _pool.Sandbox.Start(_pool.Invoke("init", "--remote", "./origin.git/", "--slots", "2")))];
        foreach (System.Diagnostics.Process init in inits)
        {
            using System.Diagnostics.Process ended = init;
            Task<string> output = init.StandardOutput.ReadToEndAsync(Token);
            string error = await init.StandardError.ReadToEndAsync(Token);
            await init.WaitForExitAsync(Token);
            init.ExitCode.Should().Be(0, error + await output);
        }

        (await _pool.RunAsync("status")).Json.GetProperty("counts").GetProperty("free").GetInt32().Should().Be(2);
        Directory.EnumerateFileSystemEntries(_pool.Sandbox.PoolDirectory).Select(Path.GetFileName).Should().NotContain(name => name!.StartsWith(".repository-making", StringComparison.Ordinal));
        Sandbox.Git(_pool.Own, "fsck", "--connectivity-only", "--no-dangling");
        await _pool.ClaimAsync("A");
        await _pool.ClaimAsync("B");
    }
}
