namespace WorktreePool.Desync.Tests.Damage;

/// <summary>D. Operations in progress.</summary>
internal static class Operations
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("merge-conflict", "! git merge -q origin/feature"),
        new("merge-nocommit", "git merge -q --no-commit --no-ff -s ours origin/feature; test -e $ADMIN/MERGE_HEAD"),
        new("merge-squash", "git merge -q --squash -X ours origin/feature; test -e $ADMIN/SQUASH_MSG"),
        new("rebase-merge", "git checkout -q -b ticket/1 origin/feature; ! git rebase -q origin/main"),
        new("rebase-apply", "git checkout -q -b ticket/1 origin/feature; ! git rebase -q --apply origin/main; test -d $ADMIN/rebase-apply"),
        new("rebase-interactive", "git checkout -q -b ticket/1 origin/feature; GIT_SEQUENCE_EDITOR='sed -i 1s/pick/edit/' git rebase -q -i HEAD~1; test -d $ADMIN/rebase-merge"),
        new("rebase-autostash", "git checkout -q -b ticket/1 origin/feature; echo z >> src/b.txt; ! git rebase -q --autostash origin/main; test -e $ADMIN/rebase-merge/autostash"),
        new("rebase-state-corrupt", "git checkout -q -b ticket/1 origin/feature; ! git rebase -q origin/main; for f in $ADMIN/rebase-merge/*; do : > $f; done"),
        new("cherry-pick-conflict", "! git cherry-pick origin/feature"),
        new("cherry-pick-sequence", "! git cherry-pick v1..origin/feature; test -d $ADMIN/sequencer"),
        new("sequencer-orphan", "! git cherry-pick v1..origin/feature; rm $ADMIN/CHERRY_PICK_HEAD; git read-tree --reset -u HEAD; test -d $ADMIN/sequencer"),
        new("revert-conflict", "! git revert --no-edit origin/feature; test -e $ADMIN/REVERT_HEAD"),
        new("am-conflict", "git format-patch -q -1 --stdout origin/feature > $ROOT/p.mbox; ! git am -q $ROOT/p.mbox; test -d $ADMIN/rebase-apply"),
        new("bisect", "git bisect start HEAD v1~1; test -e $ADMIN/BISECT_LOG"),
        new("bisect-no-checkout", "git bisect start --no-checkout HEAD HEAD~3; test -e $ADMIN/BISECT_HEAD"),
        new("notes-merge", "git notes add -m a HEAD; git notes --ref=o add -m b HEAD; ! git notes merge -v o; test -e $ADMIN/NOTES_MERGE_REF"),
        new("kill9-checkout", $"{BoomOnSmudge}; ! git -c core.attributesFile=$ROOT/attr -c filter.boom.smudge='kill -9 $PPID; cat' checkout -q --detach origin/feature; test -e $ADMIN/index.lock"),
        new("kill9-commit", "echo x >> src/b.txt; ! GIT_EDITOR='kill -9 $PPID; true' git commit -qa; test -e $ADMIN/index.lock"),
        new("kill9-rebase", "git checkout -q -b ticket/1 origin/feature; ! GIT_SEQUENCE_EDITOR=: git rebase -q -i --exec 'kill -9 $PPID' HEAD~2; test -d $ADMIN/rebase-merge"),
        new("kill9-stash", "echo x >> src/b.txt; git add -A; echo y >> src/b.txt; cp $ADMIN/index $ADMIN/index.stash.4711; : > $ADMIN/index.stash.4711.lock; : > $ADMIN/index.lock"),
    ];

    private const string BoomOnSmudge = "echo '*.txt filter=boom' > $ROOT/attr";
}
