namespace WorktreePool.Desync.Tests.Damage;

/// <summary>M. States that nobody has been seen in yet: files of the wrong kind, and mounts.</summary>
internal static class Further
{
    private const string Dirt = "echo x >> src/b.txt";

    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("gitfile-fifo", "rm .git; mkfifo .git; echo x > junk"),
        new("gitfile-trailing", @"printf '\nextra\n' >> .git; echo x > junk"),
        new("gitfile-crlf", @"sed -i 's/$/\r/' .git; echo x > junk"),
        new("gitfile-relative", "echo 'gitdir: ../../repo/.git/worktrees/slot-0' > .git; echo x > junk"),
        new("gitfile-unreadable", "chmod 000 .git; echo x > junk"),
        new("admin-head-symlink", "mv $ADMIN/HEAD $OUTSIDE/head; ln -s $OUTSIDE/head $ADMIN/HEAD"),
        new("admin-head-fifo", "rm $ADMIN/HEAD; mkfifo $ADMIN/HEAD"),
        new("admin-head-outside", "echo 'ref: ../../../outside/x' > $ADMIN/HEAD"),
        new("admin-head-ref-loop", "git symbolic-ref refs/heads/one refs/heads/two; git symbolic-ref refs/heads/two refs/heads/one; echo 'ref: refs/heads/one' > $ADMIN/HEAD"),
        new("admin-head-short-oid", "git rev-parse --short=12 HEAD > $ADMIN/HEAD.new; mv $ADMIN/HEAD.new $ADMIN/HEAD"),
        new("admin-head-no-commit", "git rev-parse 'HEAD^{tree}' > $ADMIN/HEAD.new; mv $ADMIN/HEAD.new $ADMIN/HEAD"),
        new("admin-index-fifo", $"{Dirt}; rm $ADMIN/index; mkfifo $ADMIN/index"),
        new("admin-index-huge", $"{Dirt}; rm $ADMIN/index; truncate -s 3G $ADMIN/index"),
        new("admin-index-future", $"{Dirt}; printf 'DIRC\\0\\0\\0\\11\\0\\0\\0\\0' > $ADMIN/index"),
        new("admin-gitdir-fifo", "rm $ADMIN/gitdir; mkfifo $ADMIN/gitdir"),
        new("admin-commondir-fifo", "rm $ADMIN/commondir; mkfifo $ADMIN/commondir"),
        new("admin-commondir-symlink", "mv $ADMIN/commondir $OUTSIDE/commondir; ln -s $OUTSIDE/commondir $ADMIN/commondir"),
        new("admin-head-lock-dir", "mkdir -p $ADMIN/HEAD.lock/x"),
        new("admin-index-lock-dir", $"mkdir -p $ADMIN/index.lock/x; {Dirt}"),
        new("admin-index-lock-symlink", $"echo precious > $OUTSIDE/p; ln -s $OUTSIDE/p $ADMIN/index.lock; {Dirt}"),
        new("admin-logs-file", $"rm -rf $ADMIN/logs; echo x > $ADMIN/logs; {Dirt}"),
        new("admin-logs-symlink-dir", $"mkdir $OUTSIDE/logs; echo precious > $OUTSIDE/logs/HEAD; rm -rf $ADMIN/logs; ln -s $OUTSIDE/logs $ADMIN/logs; {Dirt}"),
        new("admin-refs-symlink", "mkdir $OUTSIDE/refs; echo precious > $OUTSIDE/refs/x; rm -rf $ADMIN/refs; ln -s $OUTSIDE/refs $ADMIN/refs"),
        new("admin-modules-symlink", $"ln -s $OUTSIDE $ADMIN/modules; {Dirt}"),
        new("admin-config-dir", "mkdir -p $ADMIN/config.worktree/x; mkdir -p $ADMIN/config $ADMIN/hooks"),
        new("admin-objects-planted", $"mkdir -p $ADMIN/objects/info; echo $OUTSIDE > $ADMIN/objects/info/alternates; {Dirt}"),
        new("ref-directory-conflict", "git update-ref refs/heads/next/deep HEAD; git update-ref refs/heads/slot-0/x HEAD"),
        new("reflog-garbage", $"mkdir -p $ADMIN/logs; head -c 1000 /dev/zero > $ADMIN/logs/HEAD; {Dirt}"),
        new("multi-pack-index-corrupt", $"git -C $REPO repack -adq; git -C $REPO multi-pack-index write; chmod u+w $COMMON/objects/pack/multi-pack-index; head -c 100 /dev/zero > $COMMON/objects/pack/multi-pack-index; {Dirt}"),
        new("alternates-loop", $"echo $COMMON/objects > $COMMON/objects/info/alternates; {Dirt}"),
        new("tracked-dir-is-fifo", "rm -r src/deep; mkfifo src/deep"),
        new("tracked-link-is-directory", "rm link; mkdir link; echo x > link/x"),
        new("tracked-file-is-socket", "rm README.md; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => q(README.md), Listen => 1) or die'"),
        new("link-retargeted-out", "rm link; ln -s $OUTSIDE link; echo precious > $OUTSIDE/p"),
        new("hardlinks-among-tracked", "rm src/b.txt; ln src/a.txt src/b.txt"),
        new("truncated-to-sparse", "truncate -s 0 src/a.txt; truncate -s 100M src/a.txt"),
        new("swapped-files", "mv src/a.txt t; mv src/b.txt src/a.txt; mv t src/b.txt"),
        new("nested-slot-copy", "mkdir inner; cp -a src README.md .git inner/"),
        new("gitmodules-planted", "printf '[submodule \"x\"]\\n\\tpath = src\\n\\turl = ext::sh -c touch%% $ROOT/PWNED\\n' > .gitmodules; git add .gitmodules"),
        new("gitattributes-planted", $"echo '* ident text eol=crlf -diff export-subst' > .gitattributes; {Dirt}"),
        new("info-attributes-macro", $"mkdir -p $COMMON/info; echo '[attr]binary text eol=crlf' > $COMMON/info/attributes; {Dirt}"),
        new("cfg-partial-clone-extension", $"git config core.repositoryformatversion 1; git config extensions.partialClone origin; {Dirt}"),
        new("cfg-reftable", $"git config core.repositoryformatversion 1; git config extensions.refStorage reftable; {Dirt}"),
        new("bind-mount-untracked", "mkdir -p $OUTSIDE/bound mnt; echo precious > $OUTSIDE/bound/p; as_root 'mount --bind $OUTSIDE/bound mnt'") { NeedsRoot = true, MayQuarantine = true },
        new("bind-mount-over-tracked", "mkdir -p $OUTSIDE/bound; cp -r src/. $OUTSIDE/bound/; echo precious > $OUTSIDE/bound/p; echo changed >> $OUTSIDE/bound/a.txt; as_root 'mount --bind $OUTSIDE/bound src'") { NeedsRoot = true, MayQuarantine = true },
        new("bind-mount-closed", "mkdir -p $OUTSIDE/bound/x mnt deep/dir; echo precious > $OUTSIDE/bound/p; chmod 555 $OUTSIDE/bound $OUTSIDE/bound/x; as_root 'mount --bind $OUTSIDE/bound mnt'") { NeedsRoot = true, MayQuarantine = true },
    ];
}
