namespace WorktreePool.Testing.Conformance;

/// <summary>One way to leave a slot not ready: a script that runs in the slot as its holder would.</summary>
/// <param name="Name">Its name in the list of tests.</param>
/// <param name="Script">A shell script; $admin, $main, $sibling, $outside, $slot, $older are set.</param>
/// <param name="HealedBy">The weakest repair that must heal it. Weaker ones may refuse.</param>
/// <param name="Found">At least one of these must be found.</param>
internal sealed record SlotDamage(string Name, string Script, RepairLevel HealedBy, params string[] Found)
{
    public static IReadOnlyList<SlotDamage> All { get; } =
    [
        // What a job leaves behind in the tree.
        new("tracked file edited", "echo more >> README.md", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("tracked file edited, same size and time", "touch -r README.md ../time && printf 'HELLO\\n' > README.md && touch -r ../time README.md && rm ../time", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("tracked file deleted", "rm src/app.cs", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("tracked directory deleted", "rm -r src", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("executable bit lost", "chmod -x tool.sh", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("executable bit gained", "chmod +x README.md", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("line ends changed", "printf 'a\\nb\\n' > mixed.txt", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("link became a file", "rm link && echo hello > link", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("link points elsewhere", "ln -sfn tool.sh link", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("file became a directory", "rm README.md && mkdir README.md && echo x > README.md/x", RepairLevel.Reset, FindingIds.TreeDiffers, FindingIds.Untracked),
        new("directory became a link to outside", "rm -r src && ln -s \"$outside\" src", RepairLevel.Reset, FindingIds.TreeDiffers, FindingIds.Untracked),
        new("file became a hard link to outside", "ln -f \"$outside/precious.txt\" README.md", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("file became a fifo", "rm README.md && mkfifo README.md", RepairLevel.Reset, FindingIds.TreeDiffers),
        new("untracked file", "echo x > new.txt", RepairLevel.Reset, FindingIds.Untracked),
        new("untracked file in a tracked directory", "echo x > src/new.txt", RepairLevel.Reset, FindingIds.Untracked),
        new("ignored file", "echo x > build.log", RepairLevel.Reset, FindingIds.Untracked),
        new("ignored directory", "mkdir -p bin/x && echo x > bin/x/y", RepairLevel.Reset, FindingIds.Untracked),
        new("directory that ignores itself", "mkdir own && echo '*' > own/.gitignore", RepairLevel.Reset, FindingIds.Untracked),
        new("empty directory", "mkdir -p empty/inner", RepairLevel.Reset, FindingIds.Untracked),
        new("empty directory in a tracked one", "mkdir src/deep/empty", RepairLevel.Reset, FindingIds.Untracked),
        new("fifo", "mkfifo pipe", RepairLevel.Reset, FindingIds.Untracked),
        new("untracked link to outside", "ln -s \"$outside\" out", RepairLevel.Reset, FindingIds.Untracked),
        new("link to itself", "ln -s . loop", RepairLevel.Reset, FindingIds.Untracked),
        new("nested repository", "git init -q nested && echo x > nested/x && git -C nested add -A && git -C nested commit -qm x", RepairLevel.Reset, FindingIds.Untracked),
        new("repository in a tracked directory", "git init -q src", RepairLevel.Reset, FindingIds.Untracked),
        new("read-only directory", "mkdir ro && echo x > ro/x && chmod 500 ro", RepairLevel.Reset, FindingIds.Untracked, FindingIds.NotWritable),
        new("unreadable directory", "mkdir no && echo x > no/x && chmod 0 no", RepairLevel.Reset, FindingIds.Untracked, FindingIds.Unreadable),
        new("tracked directory made read-only", "chmod 555 src", RepairLevel.Reset, FindingIds.NotWritable),
        new("odd names", "printf x > \"$(printf 'new\\nline')\" && printf x > ./-rf && printf x > \"$(printf 'caf\\351')\" && printf x > 'back\\slash' && printf x > '*'", RepairLevel.Reset, FindingIds.Untracked),
        new("odd directory names", "d=\"$(printf 'd\\351\\nx')\" && mkdir -p \"$d/-x\" && echo x > \"$d/-x/y\"", RepairLevel.Reset, FindingIds.Untracked),

        // Index and HEAD.
        new("staged file", "echo x > staged.txt && git add staged.txt", RepairLevel.Reset, FindingIds.IndexDiffers),
        new("staged deletion", "git rm -q --cached README.md", RepairLevel.Reset, FindingIds.IndexDiffers),
        new("staged mode", "git update-index --chmod=+x README.md", RepairLevel.Reset, FindingIds.IndexDiffers),
        new("intent to add", "echo x > soon.txt && git add -N soon.txt", RepairLevel.Reset, FindingIds.IndexDiffers),
        new("assume-unchanged and edited", "git update-index --assume-unchanged README.md && echo more >> README.md", RepairLevel.Rebuild, FindingIds.IndexHidden),
        new("skip-worktree and deleted", "git update-index --skip-worktree README.md && rm README.md", RepairLevel.Rebuild, FindingIds.IndexHidden),
        new("index garbage", "echo garbage > \"$admin/index\"", RepairLevel.Rebuild, FindingIds.IndexBroken),
        new("index empty", ": > \"$admin/index\"", RepairLevel.Rebuild, FindingIds.IndexBroken, FindingIds.IndexDiffers),
        new("index missing", "rm \"$admin/index\"", RepairLevel.Rebuild, FindingIds.IndexBroken, FindingIds.IndexDiffers),
        new("index truncated", "truncate -s 100 \"$admin/index\"", RepairLevel.Rebuild, FindingIds.IndexBroken, FindingIds.IndexDiffers),
        new("split index", "git update-index --split-index", RepairLevel.Rebuild, FindingIds.IndexBroken, FindingIds.IndexHidden, FindingIds.AdminResidue),
        new("sparse checkout", "git sparse-checkout set src", RepairLevel.Rebuild, FindingIds.IndexHidden, FindingIds.AdminResidue),
        new("on a branch", "git checkout -q -B ticket", RepairLevel.Reset, FindingIds.OnBranch),
        new("on an unborn branch", "git checkout -q --orphan ticket", RepairLevel.Reset, FindingIds.OnBranch, FindingIds.HeadBroken),
        new("commit on a detached HEAD", "echo x > c.txt && git add -A && git commit -qm c", RepairLevel.Reset, FindingIds.WrongCommit),
        new("older commit", "git checkout -q --detach \"$older\"", RepairLevel.Reset, FindingIds.WrongCommit),
        new("HEAD empty", ": > \"$admin/HEAD\"", RepairLevel.Rebuild, FindingIds.HeadBroken),
        new("HEAD missing", "rm \"$admin/HEAD\"", RepairLevel.Rebuild, FindingIds.HeadBroken, FindingIds.AdminMissing),

        // Operations that never ended, and what git leaves when it is killed.
        new("merge in progress", "git checkout -q -B side \"$older\" && echo side > README.md && git commit -qam side && ! git merge -q origin/main 2>/dev/null", RepairLevel.Rebuild, FindingIds.AdminResidue),
        new("merge without conflict", "git checkout -q --detach && git merge -q --no-commit --no-ff --allow-unrelated-histories -s ours \"$(git commit-tree -m x \"$older^{tree}\")\"", RepairLevel.Rebuild, FindingIds.AdminResidue),
        new("bisect in progress", "git bisect start -q HEAD \"$older\" 2>/dev/null", RepairLevel.Rebuild, FindingIds.AdminResidue),
        new("rebase left", "mkdir \"$admin/rebase-merge\" && : > \"$admin/rebase-merge/head-name\"", RepairLevel.Rebuild, FindingIds.AdminResidue),
        new("per-worktree ref", "git update-ref refs/worktree/x HEAD", RepairLevel.Rebuild, FindingIds.AdminResidue),
        new("worktree lock", "git worktree lock \"$slot\"", RepairLevel.Rebuild, FindingIds.AdminResidue),
        new("index.lock left", ": > \"$admin/index.lock\"", RepairLevel.Rebuild, FindingIds.LockStale),
        new("HEAD.lock left", ": > \"$admin/HEAD.lock\"", RepairLevel.Rebuild, FindingIds.LockStale),

        // Links and structure.
        new(".git missing", "rm .git", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new(".git garbage", "echo garbage > .git", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new(".git with a byte order mark", "printf '\\357\\273\\277' | cat - .git > \"$outside/marked\" && cat \"$outside/marked\" > .git", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new(".git a link", "rm .git && ln -s \"$admin\" .git", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new(".git names the main repository", "echo \"gitdir: $main/.git\" > .git", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new(".git names a sibling", "cp \"$sibling/.git\" .git", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new(".git a repository that runs code", "rm .git && git init -q && git config core.fsmonitor \"touch $outside/ran; false\" && printf '#!/bin/sh\\ntouch %s/ran\\n' \"$outside\" > .git/hooks/post-checkout && chmod +x .git/hooks/post-checkout", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new("commondir garbage", "echo nowhere > \"$admin/commondir\"", RepairLevel.Rebuild, FindingIds.AdminLinkBroken),
        new("commondir empty", ": > \"$admin/commondir\"", RepairLevel.Rebuild, FindingIds.AdminLinkBroken),
        new("gitdir names another place", "echo \"$outside/.git\" > \"$admin/gitdir\"", RepairLevel.Rebuild, FindingIds.AdminLinkBroken),
        new("config.worktree planted", "printf '[core]\\n\\tfsmonitor = touch %s/ran\\n' \"$outside\" > \"$admin/config.worktree\"", RepairLevel.Rebuild, FindingIds.AdminResidue),
        new("admin index a link to outside", "mv \"$admin/index\" \"$outside/index\" && ln -s \"$outside/index\" \"$admin/index\"", RepairLevel.Rebuild, FindingIds.AdminResidue, FindingIds.IndexBroken),
        new("admin directory missing", "rm -r \"$admin\"", RepairLevel.Rebuild, FindingIds.AdminMissing),
        new("slot emptied", "find . -mindepth 1 -delete", RepairLevel.Rebuild, FindingIds.GitLinkBroken),
        new("slot missing", "cd .. && rm -r \"$slot\"", RepairLevel.Rebuild, FindingIds.SlotMissing),
        new("slot a file", "cd .. && rm -r \"$slot\" && echo x > \"$slot\"", RepairLevel.Recreate, FindingIds.SlotNotDirectory),
        new("slot a link to outside", "cp .git \"$outside/.git\" && cd .. && rm -r \"$slot\" && ln -s \"$outside\" \"$slot\"", RepairLevel.Recreate, FindingIds.SlotNotDirectory),
    ];

    public override string ToString() => Name;
}
