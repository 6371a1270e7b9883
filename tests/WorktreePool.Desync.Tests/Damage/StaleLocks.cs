namespace WorktreePool.Desync.Tests.Damage;

/// <summary>E. Locks that a killed git left.</summary>
internal static class StaleLocks
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("index-lock-stale", ": > $ADMIN/index.lock"),
        new("head-lock-stale", ": > $ADMIN/HEAD.lock"),
        new("orig-head-lock-stale", ": > $ADMIN/ORIG_HEAD.lock"),
        new("config-worktree-lock-stale", ": > $ADMIN/config.worktree.lock"),
        new("config-lock-stale", ": > $COMMON/config.lock"),
        new("packed-refs-lock-stale", "git -C $REPO pack-refs --all; : > $COMMON/packed-refs.lock; : > $COMMON/packed-refs.new"),
        new("remote-ref-lock-stale", "upstream; mkdir -p $COMMON/refs/remotes/origin; : > $COMMON/refs/remotes/origin/main.lock"),
        new("branch-ref-lock-stale", "work; : > $COMMON/refs/heads/ticket/1.lock"),
        new("shallow-lock-stale", ": > $COMMON/shallow.lock"),
        new("gc-pid-stale", "echo \"999999 $(uname -n)\" > $COMMON/gc.pid; : > $COMMON/gc.pid.lock; : > $COMMON/objects/pack/tmp_pack_abc"),
        new("maintenance-lock-stale", "mkdir -p $COMMON/objects/info/commit-graphs; : > $COMMON/objects/maintenance.lock; : > $COMMON/objects/info/commit-graphs/commit-graph-chain.lock; : > $COMMON/objects/pack/multi-pack-index.lock"),
        new("main-index-lock-stale", ": > $COMMON/index.lock"),
        new("sibling-lock", ": > $SIBLING_ADMIN/index.lock"),
        new("worktree-refs-lock-stale", "mkdir -p $ADMIN/refs/worktree; : > $ADMIN/refs/worktree/x.lock"),
    ];
}
