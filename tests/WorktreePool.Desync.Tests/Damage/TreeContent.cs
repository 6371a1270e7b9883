namespace WorktreePool.Desync.Tests.Damage;

/// <summary>B. The content of the working tree.</summary>
internal static class TreeContent
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("dirty-staged", "echo x >> src/b.txt; git add -A"),
        new("dirty-unstaged", "echo x >> src/b.txt; rm README.md"),
        new("untracked", "echo x > new.txt; mkdir -p d/e; echo y > d/e/f"),
        new("ignored", "mkdir build; echo o > build/o; echo SECRET > .env; echo l > x.log"),
        new("empty-dirs", "mkdir -p e1/e2 src/empty"),
        new("hidden-by-info-exclude", "echo '*' >> $COMMON/info/exclude; echo x > new.txt"),
        new("gitignore-self-hiding", "mkdir d; echo '*' > d/.gitignore; echo x > d/f"),
        new("typechange", "rm README.md; mkdir README.md; echo x > README.md/f; rm -r src/deep; echo f > src/deep; rm src/a.txt; ln -s b.txt src/a.txt"),
        new("tracked-dir-symlink-out", "mkdir -p $OUTSIDE/src; cp src/*.txt $OUTSIDE/src/; echo precious >> $OUTSIDE/src/a.txt; echo keep > $OUTSIDE/src/keep.txt; rm -r src; ln -s $OUTSIDE/src src"),
        new("symlink-out", "mkdir -p $OUTSIDE/d; echo keep > $OUTSIDE/d/f; ln -s $OUTSIDE/d ext; ln -s $OUTSIDE/d/f extf"),
        new("symlink-loop", "ln -s loop loop; ln -s /nonexistent dangling; ln -s . here; mkdir d; ln -s ../d d/d"),
        new("hardlink-out", "echo precious > $OUTSIDE/p; rm src/b.txt; ln $OUTSIDE/p src/b.txt"),
        new("mode-change", "chmod +x README.md; chmod -x bin/run.sh"),
        new("crlf-residue-textauto", @"sed -i 's/$/\r/' auto.txt"),
        new("eol-lf-residue", @"sed -i 's/\r$//' win.bat"),
        new("nested-git-repo", "git clone -q $ORIGIN vendor; git init -q inner; echo x > inner/f"),
        new("nested-git-readonly-objs", "git clone -q $ORIGIN vendor; chmod -R a-w vendor"),
        new("nested-worktree", "git worktree add -q --detach $SLOT/wt2 HEAD"),
        new("readonly-dir", "mkdir -p gopath/pkg/mod/x@v1/d; echo m > gopath/pkg/mod/x@v1/d/f; chmod -R a-w gopath/pkg/mod/x@v1"),
        new("readonly-tracked-dir", "echo x >> src/b.txt; chmod 555 src"),
        new("readonly-slot-root", "echo x > junk; chmod 555 ."),
        new("unreadable-dir", "mkdir -p priv/x; echo p > priv/x/p; chmod 000 priv"),
        new("unreadable-tracked-file", "chmod 000 src/b.txt"),
        new("root-owned-file", "as_root 'echo r > root.txt; chmod 600 root.txt'") { NeedsRoot = true },
        new("root-owned-dir", "as_root 'mkdir -p out/obj; echo r > out/obj/r'") { NeedsRoot = true },
        new("root-owned-tracked", "as_root 'rm -r src/deep; mkdir src/deep; echo r > src/deep/c.txt; echo r > src/deep/r'") { NeedsRoot = true },
        new("immutable-file", "echo i > imm; as_root 'chattr +i imm'") { NeedsRoot = true },
        new("mount-inside", "mkdir mnt; as_root 'mount -t tmpfs -o size=64k tmpfs mnt; echo m > mnt/m'") { NeedsRoot = true },
        new("deep-path", "mkdir deepdir; cd deepdir; n=$(printf 'x%.0s' $(seq 200)); for i in $(seq 30); do mkdir $n; cd -P $n 2>/dev/null || cd $n; done; echo f > leaf"),
        new("weird-names", @"echo 1 > $'a\nb'; echo 2 > ./-dash; echo 3 > $'\xff\xfe'; mkdir $'d\xff'; echo 4 > $'d\xff/f'; echo 5 > 'back\slash'; echo 6 > '*glob?'; echo 7 > ' '"),
        new("special-files", "mkfifo pipe; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => q(socket), Listen => 1) or die'; test -S socket"),
        new("fifo-replaces-tracked", "rm src/b.txt; mkfifo src/b.txt"),
        new("setgid-acl-dirs", "chmod 2777 src"),
        new("dotgit-lookalike", "git init -q --bare bare.git; mkdir broken; echo 'gitdir: /nowhere' > broken/.git; echo x > broken/y"),
    ];
}
