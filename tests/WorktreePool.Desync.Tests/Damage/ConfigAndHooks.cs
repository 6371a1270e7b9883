namespace WorktreePool.Desync.Tests.Damage;

/// <summary>G. Poison in config, hooks and attributes.</summary>
internal static class ConfigAndHooks
{
    private const string Dirt = "echo x >> src/b.txt";

    private const string PlantedHooks = "mkdir -p $ROOT/hk; for h in post-checkout reference-transaction post-index-change post-merge pre-auto-gc; do pwn $ROOT/hk/$h; done";

    private const string Fork = "git clone -q --bare $ORIGIN $ROOT/evil.git; git -C $ROOT/evil.git update-ref refs/heads/main refs/heads/feature";

    private const string RewriteTree = "rm -r src README.md auto.txt; git checkout -q -f HEAD -- .";

    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("cfg-core-worktree", $"git config core.worktree $OUTSIDE; {Dirt}"),
        new("cfg-core-bare", $"git config core.bare true; {Dirt}"),
        new("cfg-bare-via-gitdir-init", $"cd $ROOT; GIT_DIR=$ADMIN git init -q; test $(git config -f $COMMON/config core.bare) = true; cd $SLOT; {Dirt}"),
        new("cfg-bare-worktreeconfig", $"git config core.bare true; git config extensions.worktreeConfig true; {Dirt}"),
        new("cfg-hookspath", $"{PlantedHooks}; git config core.hooksPath $ROOT/hk; {Dirt}"),
        new("cfg-fsmonitor", $"pwn $ROOT/evil.sh; git config core.fsmonitor $ROOT/evil.sh; {Dirt}"),
        new("cfg-filter-rce", $"pwn $ROOT/evil.sh cat; git config filter.x.smudge $ROOT/evil.sh; git config filter.x.clean $ROOT/evil.sh; echo '* filter=x' > $COMMON/info/attributes; {Dirt}"),
        new("cfg-filter-gitattributes", $"pwn $ROOT/evil.sh cat; git config filter.x.clean $ROOT/evil.sh; echo '* filter=x' >> .gitattributes; echo '* filter=x' > src/.gitattributes; {Dirt}"),
        new("cfg-include", $"{PlantedHooks}; printf \"[core]\\n\\thooksPath = $ROOT/hk\\n\" > $ROOT/inc; git config include.path $ROOT/inc; {Dirt}"),
        new("cfg-remote-uploadpack", "git config remote.origin.uploadpack \"touch $ROOT/PWNED; git-upload-pack\"; git update-ref refs/remotes/origin/main origin/feature"),
        new("cfg-sshcommand", "pwn $ROOT/evil.sh 'exit 1'; git config core.sshCommand $ROOT/evil.sh; git remote set-url origin ssh://example.invalid/x.git; git update-ref refs/remotes/origin/main origin/feature"),
        new("cfg-insteadof", $"{Fork}; git config url.$ROOT/evil.git.insteadOf $ORIGIN; git fetch -q origin"),
        new("cfg-remote-url", $"{Fork}; git remote set-url origin $ROOT/evil.git; git fetch -q origin"),
        new("cfg-refspec", "git config --replace-all remote.origin.fetch '+refs/heads/release:refs/remotes/origin/release'; upstream"),
        new("cfg-credential-helper", "git config credential.helper \"!touch $ROOT/PWNED\""),
        new("cfg-alias", $"git config alias.reset \"!touch $ROOT/PWNED\"; git config alias.clean \"!touch $ROOT/PWNED\"; {Dirt}"),
        new("cfg-autocrlf", $"git config core.autocrlf true; {RewriteTree}; grep -q $'\\r' src/b.txt"),
        new("cfg-filemode-false", "git config core.fileMode false; chmod +x README.md; chmod -x bin/run.sh"),
        new("cfg-symlinks-false", "git config core.symlinks false; rm link; git checkout -q -- link; test ! -L link"),
        new("cfg-ignorecase", "git config core.ignoreCase true; echo x > readme.md; mkdir SRC; echo y > SRC/A.TXT"),
        new("cfg-excludesfile", "echo '*' > $ROOT/ign; git config core.excludesFile $ROOT/ign; echo x > new.txt"),
        new("cfg-status-hide", "git config status.showUntrackedFiles no; echo x > new.txt"),
        new("cfg-corrupt", $"{Dirt}; echo '[core' >> $COMMON/config"),
        new("cfg-zero", $"{Dirt}; : > $COMMON/config"),
        new("cfg-extension-unknown", $"git config core.repositoryFormatVersion 1; git config extensions.bogus true; {Dirt}"),
        new("cfg-worktree-file-poison", $"pwn $ROOT/evil.sh; git config extensions.worktreeConfig true; git config --worktree core.fsmonitor $ROOT/evil.sh; git config --worktree core.worktree $OUTSIDE; {Dirt}"),
        new("cfg-global-poison", $"{PlantedHooks}; git config --global core.hooksPath $ROOT/hk; git config --global url.$ROOT/evil.git.insteadOf $ORIGIN; {Dirt}")
        {
            Leaked = new Dictionary<string, string> { ["HOME"] = "$ROOT/home" },
        },
        new("excluded-cache-abuse", $"mkdir -p .cache $OUTSIDE/d; git init -q .cache/repo; echo keep > $OUTSIDE/d/f; ln -s $OUTSIDE/d .cache/out; mkdir -p src/.cache; echo x > src/.cache/x; {Dirt}")
        {
            Keep = ["/.cache/"],
        },
        new("hook-post-checkout", $"pwn $COMMON/hooks/post-checkout; {Dirt}"),
        new("hook-post-index-change", $"pwn $COMMON/hooks/post-index-change; {Dirt}"),
        new("hook-reference-transaction-deny", $"printf '#!/bin/sh\\nexit 1\\n' > $COMMON/hooks/reference-transaction; chmod +x $COMMON/hooks/reference-transaction; {Dirt}"),
        new("hook-post-checkout-fail", $"pwn $COMMON/hooks/post-checkout 'exit 1'; {Dirt}"),
        new("info-attributes-eol", $"echo '* text eol=crlf' > $COMMON/info/attributes; {RewriteTree}"),
        new("alternates-hostile", $"echo $ROOT/nonexistent/objects > $COMMON/objects/info/alternates; {Dirt}"),
    ];
}
