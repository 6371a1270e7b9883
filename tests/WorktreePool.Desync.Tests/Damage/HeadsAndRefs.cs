namespace WorktreePool.Desync.Tests.Damage;

/// <summary>A. HEAD and refs.</summary>
internal static class HeadsAndRefs
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("on-branch", "work"),
        new("on-branch-elsewhere", "git checkout -q --ignore-other-worktrees main"),
        new("on-unborn-branch", "git checkout -q --orphan fresh"),
        new("branch-deleted-under-head", "work; git -C $REPO update-ref -d refs/heads/ticket/1"),
        new("detached-wrong-commit", "git checkout -q --detach origin/feature"),
        new("detached-with-commits", "echo d >> src/b.txt; git commit -qam detached-work"),
        new("head-symref-remote", "git symbolic-ref HEAD refs/remotes/origin/main"),
        new("head-nonexistent-oid", "echo 1234567890123456789012345678901234567890 > $ADMIN/HEAD"),
        new("base-ref-moved", "echo evil >> README.md; git commit -qam evil; git update-ref refs/remotes/origin/main HEAD"),
        new("base-ref-deleted", "git branch -q -dr origin/main"),
        new("origin-remote-removed", "git remote rm origin"),
        new("upstream-force-pushed", "git -C $ORIGIN update-ref refs/heads/main refs/heads/feature"),
        new("upstream-base-deleted", "git -C $ORIGIN update-ref -d refs/heads/main"),
        new("upstream-df-conflict", "o=$(git -C $ORIGIN rev-parse release); git -C $ORIGIN update-ref -d refs/heads/release; git -C $ORIGIN update-ref refs/heads/release/1 $o; upstream"),
        new("ref-shadow-tag", "git tag origin/main origin/feature"),
        new("ref-shadow-branch", "git branch -q origin/main origin/feature"),
        new("ref-named-head", "git update-ref refs/heads/HEAD origin/feature"),
        new("leftover-branches-tags", "git branch -q wip/x; git branch -q wip/y origin/feature; git tag wip-tag"),
        new("stash-left", "echo x >> src/b.txt; git stash -q"),
        new("refs-per-worktree", "git update-ref refs/worktree/x HEAD; git update-ref refs/rewritten/y HEAD"),
        new("replace-ref", "git replace $(git rev-parse HEAD:README.md) $(echo HIJACK | git hash-object -w --stdin)"),
        new("replace-ref-commit", "git replace HEAD origin/feature"),
        new("grafts", "git rev-parse refs/remotes/origin/main > $COMMON/info/grafts"),
        new("shallow-file", "git rev-parse origin/main > $COMMON/shallow"),
        new("loose-ref-zero", "mkdir -p $COMMON/refs/remotes/origin; : > $COMMON/refs/remotes/origin/main"),
        new("loose-ref-garbage", "echo zzzz > $COMMON/refs/heads/junk"),
        new("packed-refs-corrupt", "git -C $REPO pack-refs --all; truncate -s -25 $COMMON/packed-refs"),
        new("packed-refs-zero", "git -C $REPO pack-refs --all; : > $COMMON/packed-refs"),
    ];
}
