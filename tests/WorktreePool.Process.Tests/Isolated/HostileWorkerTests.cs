namespace WorktreePool.Process.Tests.Isolated;

/// <summary>A worker that does its worst to the repository its slot belongs to: the next claim is ready, the user's clone is byte for byte as it was, and nothing planted runs.</summary>
public sealed class HostileWorkerTests : IAsyncLifetime
{
    private readonly IsolatedPool _pool = new(byCommand: false);

    public async ValueTask InitializeAsync() => await _pool.InitAsync(2, _pool.Sandbox.Repository, null);

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    public static TheoryData<string, string> Deeds => new()
    {
        {
            "everything git reads", """
            printf '#!/bin/sh\ntouch %s/PWNED\nexit 1\n' $ROOT > $ROOT/evil; chmod +x $ROOT/evil
            cd $OWN
            git config core.bare false; git config core.worktree $ROOT/repo; git config core.hooksPath $ROOT; git config core.fsmonitor $ROOT/evil; git config core.sshCommand $ROOT/evil
            git config core.gitProxy $ROOT/evil; git config credential.helper "!$ROOT/evil"; git config filter.x.clean $ROOT/evil; git config filter.x.smudge $ROOT/evil; git config uploadpack.packObjectsHook $ROOT/evil
            git config core.alternateRefsCommand $ROOT/evil; git config remote.origin.uploadpack $ROOT/evil; git config remote.origin.url ext::$ROOT/evil; git config extensions.worktreeConfig true
            git config include.path $ROOT/evil.inc; printf '[core]\n\tpager = %s/evil\n\teditor = %s/evil\n' $ROOT $ROOT > $ROOT/evil.inc
            for hook in post-checkout reference-transaction pre-auto-gc post-index-change update pre-receive post-update; do cp $ROOT/evil hooks/$hook; done
            printf '[core]\n\tfsmonitor = %s/evil\n' $ROOT > config.worktree
            echo '* filter=x text eol=crlf' > info/attributes; echo '*' > info/exclude; git rev-parse refs/remotes/origin/main > info/grafts
            echo $ROOT/nowhere > objects/info/alternates; echo http://localhost:1/ > objects/info/http-alternates; git rev-parse refs/remotes/origin/main > shallow
            echo 'ref: refs/heads/main' > HEAD; mkdir modules rr-cache branches; echo x > commondir
            """
        },
        {
            "refs", """
            echo evil > evil.txt; git add -A; git commit -qm evil
            git update-ref refs/remotes/origin/main HEAD; git update-ref refs/heads/main HEAD; git update-ref refs/heads/origin/main HEAD; git tag origin/main HEAD; git replace $(git rev-parse origin/main~1) HEAD
            git update-ref refs/heads/cr/other HEAD; git symbolic-ref refs/remotes/origin/HEAD refs/heads/nothing; git symbolic-ref refs/heads/a refs/heads/b; git symbolic-ref refs/heads/b refs/heads/a
            git pack-refs --all; echo garbage >> $OWN/packed-refs; : > $OWN/refs/heads/empty; ln -s $ROOT/repo/.git/HEAD $OWN/refs/heads/link; mkfifo $OWN/refs/heads/pipe; : > $OWN/refs/heads/x.lock
            """
        },
        { "packed refs gone", "cd $OWN; git pack-refs --all; rm packed-refs; rm -rf refs logs" },
        { "locks", "cd $OWN; for lock in config HEAD packed-refs shallow gc.pid refs/remotes/origin/main objects/maintenance; do mkdir -p $(dirname $lock); : > $lock.lock; done; echo \"999999 $(uname -n)\" > gc.pid" },
        { "a config in another encoding", "cd $OWN; { printf '\\377\\376'; iconv -t UTF-16LE config; } > other; mv other config" },
        { "garbage collection and lost objects", "git reflog expire --expire=now --all; git gc -q --prune=now; rm -rf $OWN/objects; mkdir $OWN/objects" },
        { "links in the place of directories", "cd $OWN; mkdir -p logs; for d in hooks info refs objects worktree-pool logs; do mv $d $ROOT/outside/$d; ln -s $ROOT/outside/$d $d; done" },
        { "no repository any more", "chmod -R u+w $OWN; rm -rf $OWN" },
    };

    [Theory]
    [MemberData(nameof(Deeds))]
    public async Task The_next_claim_is_ready_and_nobody_else_is_harmed(string what, string deed)
    {
        var clone = DirectoryTree.Read(_pool.Sandbox.Repository);
        string config = await File.ReadAllTextAsync(Path.Combine(_pool.Own, "config"), TestContext.Current.CancellationToken);
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        string sibling = (await _pool.ClaimAsync("other", "cr/other")).Path;
        _pool.Shell(sibling, "echo mine > mine.txt");
        _pool.Shell(path, deed);

        await _pool.ReleaseAsync("A");
        Held next = await _pool.ClaimAsync("B", "cr/b");

        next.Path.Should().Be(path);
        next.Commit.Should().Be(_pool.Sandbox.Base);
        File.Exists(_pool.Canary).Should().BeFalse($"nothing that was planted runs: {what}");
        clone.ShouldBeUnchanged($"it is the user's: {what}");
        (await File.ReadAllTextAsync(Path.Combine(_pool.Own, "config"), TestContext.Current.CancellationToken)).Should().Be(config);
        (await File.ReadAllTextAsync(Path.Combine(sibling, "mine.txt"), TestContext.Current.CancellationToken)).Should().Be("mine\n");

        // The next worker's git finds a sound repository: it commits, and fetches from the true remote.
        string pushed = _pool.Push();
        _pool.Shell(path, $"echo b > b.txt; git add -A; git commit -qm b; git fetch -q; test \"$(git rev-parse origin/main)\" = {pushed}; git fsck --connectivity-only --no-dangling");
        await _pool.ReleaseAsync("B");
        await _pool.ReleaseAsync("other");
        _pool.Refs().Should().BeEquivalentTo(["remotes/origin/HEAD", "remotes/origin/main"]);
        (await _pool.DoctorAsync()).Should().BeEmpty();
        File.Exists(_pool.Canary).Should().BeFalse();
    }
}
