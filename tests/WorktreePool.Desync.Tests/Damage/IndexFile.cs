namespace WorktreePool.Desync.Tests.Damage;

/// <summary>C. The index.</summary>
internal static class IndexFile
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("index-missing", "rm $ADMIN/index"),
        new("index-zero", ": > $ADMIN/index"),
        new("index-corrupt", "head -c 500 /dev/urandom > $ADMIN/index"),
        new("index-truncated", "truncate -s $(( $(stat -c %s $ADMIN/index) / 2 )) $ADMIN/index"),
        new("index-bad-checksum", @"printf '\xff' | dd of=$ADMIN/index bs=1 seek=100 conv=notrunc status=none"),
        new("index-is-dir", "rm $ADMIN/index; mkdir -p $ADMIN/index/x"),
        new("index-foreign", "git init -q $ROOT/foreign; cd $ROOT/foreign; echo ff > ff.txt; git add ff.txt; cp .git/index $ADMIN/index"),
        new("index-unmerged", """
            b=$(git rev-parse HEAD:src/a.txt)
            { printf '0 %040d\tsrc/a.txt\n' 0; printf "100644 $b 1\tsrc/a.txt\n100644 $b 2\tsrc/a.txt\n100644 $b 3\tsrc/a.txt\n"; } | git update-index --index-info
            """),
        new("index-intent-to-add", "echo n > ita.txt; git add -N ita.txt"),
        new("assume-unchanged-dirty", "git update-index --assume-unchanged src/b.txt; echo x >> src/b.txt"),
        new("skip-worktree-dirty", "git update-index --skip-worktree src/b.txt; echo x >> src/b.txt"),
        new("skip-worktree-deleted", "git update-index --skip-worktree src/b.txt; rm src/b.txt"),
        new("sparse-checkout-on", "git sparse-checkout set --cone bin"),
        new("sparse-index-on", "git sparse-checkout set --cone --sparse-index bin"),
        new("sparse-legacy", "git config core.sparseCheckout true; mkdir -p $ADMIN/info; echo bin/ > $ADMIN/info/sparse-checkout; git read-tree -mu HEAD; test ! -e README.md"),
        new("split-index", "git update-index --split-index; rm $ADMIN/sharedindex.*"),
        new("untracked-cache-on", "git update-index --force-untracked-cache; git status -s; echo x > new.txt"),
        new("fsmonitor-lie", """
            printf '#!/bin/sh\nprintf "token\\0"\n' > $ROOT/lie; chmod +x $ROOT/lie; git config core.fsmonitor $ROOT/lie
            git update-index --fsmonitor; git status -s; echo x >> src/b.txt; test -z "$(git status -s)"
            """),
        new("racy-stat-match", """
            git config core.trustctime false; git config core.checkStat minimal; touch -d '1 hour ago' src/b.txt; git update-index -q --refresh
            m=$(stat -c %y src/b.txt); sed -i 1s/1/9/ src/b.txt; touch -d "$m" src/b.txt; test -z "$(git status -s)"
            """),
        new("racy-same-mtime", "git update-index -q --refresh; m=$(stat -c %y src/b.txt); sed -i 1s/1/9/ src/b.txt; touch -d \"$m\" src/b.txt $ADMIN/index"),
        new("clock-future-mtimes", "touch -d 2099-01-01 src/*.txt; git update-index -q --refresh; touch -d 2099-01-01 $ADMIN/index; sed -i 1s/1/9/ src/b.txt; touch -d 2099-01-01 src/b.txt"),
        new("index-missing-blob", "git update-index --add --cacheinfo 100644,1234567890123456789012345678901234567890,ghost.txt"),
        new("ignorestat-cfg", "git config core.ignoreStat true; git read-tree --reset -u origin/feature; git read-tree --reset -u origin/main; echo x >> src/a.txt; test -z \"$(git status -s)\""),
    ];
}
