namespace WorktreePool.Desync.Tests.Fixture;

/// <summary>The shell's part of a bench.</summary>
internal static class Scripts
{
    /// <summary>Makes <c>origin.git</c> with main, feature and release, and its clone <c>repo</c> with a branch of its user's.</summary>
    public const string Repository = """
        export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
        cd $ROOT; mkdir home tmp outside
        git config --global user.name Worker; git config --global user.email worker@example.invalid
        git config --global init.defaultBranch main; git config --global advice.detachedHead false
        git init -q --bare origin.git; git init -q seed; cd seed
        mkdir -p src/deep bin
        echo readme > README.md; seq 1 20 > src/a.txt; seq 1 5 > src/b.txt; echo deep > src/deep/c.txt
        printf '#!/bin/sh\necho hi\n' > bin/run.sh; chmod +x bin/run.sh; ln -s README.md link
        printf 'auto one\nauto two\n' > auto.txt; printf '@echo off\r\n' > win.bat
        test $KIND = Plain || printf 'auto*.txt text=auto\n*.bat text eol=crlf\n' > .gitattributes
        printf 'build/\n*.log\n.env\n' > .gitignore
        git add -A; git commit -qm c1
        sed -i 10s/.*/ten/ src/a.txt; git commit -qam c2; git tag v1
        git branch feature; git branch release
        git checkout -q feature; sed -i '1s/.*/FEATURE one/' src/a.txt; echo f > feat.txt; git add -A; git commit -qm f1
        sed -i '2s/.*/FEATURE two/' src/a.txt; git commit -qam f2
        git checkout -q main; sed -i '1s/.*/MAIN one/' src/a.txt; git commit -qam c3
        sed -i '2s/.*/MAIN two/' src/a.txt; echo more >> src/b.txt; git commit -qam c4
        if test $KIND = Submodule; then
            git init -q --bare $SUBMODULE_PATH; git init -q ../subseed; cd ../subseed
            echo s1 > lib.txt; git add -A; git commit -qm s1; echo s2 >> lib.txt; git commit -qam s2
            git push -q $SUBMODULE_PATH main; git -C $SUBMODULE_PATH update-server-info; cd ../seed
            git submodule --quiet add $SUBMODULE libs/sub; git commit -qm 'add sub'
        fi
        git push -q $ORIGIN main feature release v1
        cd ..; rm -rf seed subseed
        git clone -q --recurse-submodules origin.git repo
        cd repo; git branch -q keep/mine origin/feature; git gc -q
        """;

    /// <summary>Work in progress in the leased sibling and in the main checkout: none of it may change.</summary>
    public const string LiveWork = """
        cd $SIBLING; echo live > wip.txt; echo live >> src/b.txt; git add src/b.txt
        cd $CHECKOUT; echo mine > mine.txt; echo mine >> src/b.txt; git add src/b.txt; git status -s
        """;

    /// <summary>Words for the scripts that damage.</summary>
    public const string Vocabulary = """
        pwn() { printf '#!/bin/sh\ntouch %s/PWNED\n%s\n' $ROOT "${2:-exit 0}" > "$1"; chmod +x "$1"; }
        work() { git checkout -q -b ticket/1; echo work >> src/b.txt; git commit -qam work; }
        upstream() { git -C $ORIGIN update-ref refs/heads/main $(git -C $ORIGIN commit-tree -p main -m upstream main^{tree}); }
        unpack() { for p in $COMMON/objects/pack/*.pack; do mv $p $ROOT/pack; rm -f ${p%.pack}.*; git -C $REPO unpack-objects -q < $ROOT/pack; rm -f $ROOT/pack; done; }
        object() { local o=$(git -C $REPO rev-parse $1); echo $COMMON/objects/${o:0:2}/${o:2}; }
        background() { setsid bash -c "$1" > /dev/null 2>&1 & echo $! >> $ROOT/pids; }
        as_root() { echo "cd $SLOT; $1" >> $ROOT/as-root; }
        """;

    /// <summary>Ends what a damage started and removes the bench's content, whatever is in the way.</summary>
    public const string Wipe = """
        cd /
        for p in $(cat $ROOT/pids 2>/dev/null); do kill -9 -- -$p || true; done
        if test $(id -u) = 0; then
            for m in $(grep -o " $ROOT[^ ]*" /proc/mounts | sort -r); do umount -l $m; done
        fi
        rm -rf $ROOT || { chattr -R -f -i $ROOT || true; chmod -R u+rwX $ROOT; rm -rf $ROOT; }
        """;
}
