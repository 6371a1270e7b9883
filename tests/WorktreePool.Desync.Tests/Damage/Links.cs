namespace WorktreePool.Desync.Tests.Damage;

/// <summary>F. The links between slot, admin directory and repository.</summary>
internal static class Links
{
    private const string LiveSibling = "echo live > $SIBLING/live.txt; echo live >> $SIBLING/src/b.txt; git -C $SIBLING add -A";

    private const string RemoveSlot = "cd $ROOT; git -C $REPO worktree remove --force $SLOT; echo '*.txt filter=boom' > $ROOT/attr";

    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("gitfile-missing", "rm .git; echo x > junk"),
        new("gitfile-missing-nested", """
            rm .git; echo x > junk; cd $ROOT; git init -q .; echo '/*' > .git/info/exclude; mkdir -p outside/n; echo precious > outside/n/tracked
            git add -f outside/n/tracked; git commit -qm outer; echo uncommitted >> outside/n/tracked
            """),
        new("gitfile-empty", ": > .git; echo x > junk"),
        new("gitfile-garbage", "echo lol > .git"),
        new("gitfile-to-sibling", $"{LiveSibling}; cp $SIBLING/.git .git; echo x >> src/b.txt"),
        new("gitfile-to-main", "echo \"gitdir: $COMMON\" > .git; echo x >> src/b.txt"),
        new("gitfile-is-dir-init", "rm .git; git init -q; git add -A; git commit -qm mine; echo x > junk"),
        new("gitfile-is-clone", "cd $ROOT; rm -r $SLOT; git clone -q $ORIGIN $SLOT"),
        new("gitfile-is-hostile-repo", "rm .git; git init -q; pwn $ROOT/evil.sh; for h in post-checkout post-index-change reference-transaction; do pwn .git/hooks/$h; done; git config core.fsmonitor $ROOT/evil.sh; echo x >> src/b.txt"),
        new("gitfile-symlink", "rm .git; ln -s $ADMIN .git"),
        new("slot-missing", "cd $ROOT; rm -r $SLOT"),
        new("slot-half-deleted", "rm .git; rm -r src README.md"),
        new("slot-emptied", "find . -mindepth 1 -delete"),
        new("slot-is-file", "cd $ROOT; rm -r $SLOT; echo f > $SLOT"),
        new("slot-symlink-outside", "mkdir -p $OUTSIDE/z; echo keep > $OUTSIDE/z/keep; cp .git $OUTSIDE/z/.git; cd $ROOT; rm -r $SLOT; ln -s $OUTSIDE/z $SLOT"),
        new("slot-symlink-sibling", $"cd $ROOT; rm -r $SLOT; ln -s $SIBLING $SLOT; {LiveSibling}"),
        new("slot-parent-symlink", "cd $ROOT; mv $SLOT $OUTSIDE/moved; ln -s $OUTSIDE/moved $SLOT"),
        new("worktree-moved", "cd $ROOT; mv $SLOT $OUTSIDE/moved"),
        new("worktree-moved-pruned", "cd $ROOT; mv $SLOT $SLOT.away; touch -d '1 year ago' $ADMIN/index; git -C $REPO worktree prune --expire=now; mv $SLOT.away $SLOT; test ! -e $ADMIN"),
        new("worktrees-swapped", "echo live > $SIBLING/live.txt; cd $ROOT; mv $SLOT $SLOT.t; mv $SIBLING $SLOT; mv $SLOT.t $SIBLING"),
        new("worktree-copied", "cp -a . $ROOT/slots/copy; cd $ROOT/slots/copy; echo c >> src/b.txt; git checkout -q -b copied; git commit -qam c"),
        new("repo-moved", "cd $ROOT; mv $REPO $REPO.moved; ln -s $REPO.moved $REPO"),
        new("admin-missing", "rm -r $ADMIN; echo x > junk"),
        new("admin-all-missing", "rm -r $COMMON/worktrees; echo x > junk"),
        new("admin-locked", "git worktree lock $SLOT; echo x >> src/b.txt"),
        new("admin-locked-slot-missing", "git worktree lock $SLOT; cd $ROOT; rm -r $SLOT"),
        new("admin-head-zero", ": > $ADMIN/HEAD"),
        new("admin-head-missing", "rm $ADMIN/HEAD"),
        new("admin-head-garbage", "head -c 41 /dev/zero > $ADMIN/HEAD"),
        new("admin-head-dir", "rm $ADMIN/HEAD; mkdir -p $ADMIN/HEAD/x"),
        new("admin-orig-head-zero", ": > $ADMIN/ORIG_HEAD"),
        new("admin-gitdir-zero", ": > $ADMIN/gitdir"),
        new("admin-gitdir-missing", "rm $ADMIN/gitdir"),
        new("admin-gitdir-wrong", "echo $OUTSIDE/elsewhere/.git > $ADMIN/gitdir"),
        new("admin-commondir-zero", ": > $ADMIN/commondir"),
        new("admin-commondir-missing", "rm $ADMIN/commondir"),
        new("admin-commondir-hostile", "cp -a $COMMON $ROOT/evilcommon; rm -r $ROOT/evilcommon/worktrees; pwn $ROOT/evil.sh; git -C $ROOT/evilcommon config core.fsmonitor $ROOT/evil.sh; echo $ROOT/evilcommon > $ADMIN/commondir"),
        new("admin-is-file", "rm -r $ADMIN; echo f > $ADMIN"),
        new("admin-readonly", "chmod 555 $ADMIN; echo x >> src/b.txt"),
        new("admin-logs-broken", "rm -f $ADMIN/logs/HEAD; mkdir -p $ADMIN/logs/HEAD/x; echo y > $ADMIN/logs/HEAD/x/y; echo x >> src/b.txt"),
        new("kill9-worktree-add", $"{RemoveSlot}; ! git -C $REPO -c core.attributesFile=$ROOT/attr -c filter.boom.smudge='kill -9 $PPID; cat' worktree add -q --detach $SLOT origin/main"),
        new("kill9-worktree-add-parent", $"{RemoveSlot}; ! git -C $REPO -c core.attributesFile=$ROOT/attr -c filter.boom.smudge='kill -9 $(cut -d\" \" -f4 /proc/$PPID/stat) $PPID; cat' worktree add -q --detach $SLOT origin/main; test -e $ADMIN/locked"),
        new("kill9-worktree-remove", "rm -r src README.md; rm .git"),
        new("sibling-commondir-empty", "mkdir -p $COMMON/worktrees/slot-9; echo $ROOT/slots/slot-9/.git > $COMMON/worktrees/slot-9/gitdir; : > $COMMON/worktrees/slot-9/commondir; echo x >> src/b.txt"),
    ];
}
