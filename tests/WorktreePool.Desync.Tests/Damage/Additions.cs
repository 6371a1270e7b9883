namespace WorktreePool.Desync.Tests.Damage;

/// <summary>L. Additions.</summary>
internal static class Additions
{
    private const string Dirt = "echo x >> src/b.txt";

    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("untracked-blocks-target", "git clone -q $ORIGIN $ROOT/seed2; cd $ROOT/seed2; echo n > new.txt; git add -A; git commit -qm new; git push -q origin main; cd $SLOT; rm -rf $ROOT/seed2; git update-ref -d refs/remotes/origin/main; mkdir new.txt; echo mine > new.txt/x"),
        new("base-ref-symref", "git branch -q decoy origin/feature; git symbolic-ref refs/remotes/origin/main refs/heads/decoy"),
        new("admin-logs-symlink-out", $"echo precious > $OUTSIDE/p; rm -f $ADMIN/logs/HEAD; ln -s $OUTSIDE/p $ADMIN/logs/HEAD; {Dirt}"),
        new("admin-index-symlink-out", $"mkdir $OUTSIDE/i; mv $ADMIN/index $OUTSIDE/i/index; ln -s $OUTSIDE/i/index $ADMIN/index; {Dirt}"),
        new("admin-dir-symlink", $"mv $ADMIN $OUTSIDE/admin; ln -s $OUTSIDE/admin $ADMIN; {Dirt}"),
        new("admin-dir-immutable", $"{Dirt}; as_root 'chattr +i $ADMIN'") { NeedsRoot = true, MayQuarantine = true },
        new("slot-dir-immutable", $"{Dirt}; echo x > new.txt; as_root 'chattr +i $SLOT'") { NeedsRoot = true, MayQuarantine = true },
        new("rr-cache-poison", "git config rerere.enabled true; ! git merge -q origin/feature; git checkout -q --theirs src/a.txt; git add src/a.txt; git rerere; git commit -qm m; git reset -q --hard refs/remotes/origin/main; test -n \"$(ls $COMMON/rr-cache)\""),
        new("nested-repo-in-tracked-dir", $"git init -q src; {Dirt}"),
        new("tracked-dir-is-gitfile-repo", $"git init -q $ROOT/foreign; echo \"gitdir: $ROOT/foreign/.git\" > src/.git; {Dirt}"),
        new("git-dir-case-variant", "mkdir .GIT '.git.'; echo x > .GIT/config; echo y > .git./config; echo z > 'GIT~1'; mkdir src/.Git; echo x > src/.Git/x"),
        new("cfg-promisor-poison", $"git config remote.origin.promisor true; git config remote.origin.partialclonefilter blob:none; {Dirt}"),
        new("cfg-gc-now", $"git config gc.auto 1; git config gc.pruneExpire now; git config gc.worktreePruneExpire now; {Dirt}"),
        new("env-ceiling-namespace", Dirt)
        {
            Leaked = new Dictionary<string, string> { ["GIT_NAMESPACE"] = "other", ["GIT_OBJECT_DIRECTORY"] = "$ROOT/outside", ["GIT_CEILING_DIRECTORIES"] = "/" },
        },
    ];
}
