namespace WorktreePool.Desync.Tests.Damage;

/// <summary>I. What the host process brings along, and processes that are still there.</summary>
internal static class EnvironmentAndProcesses
{
    private const string Dirt = "echo x >> src/b.txt";

    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("env-git-dir", Dirt) { Leaked = new Dictionary<string, string> { ["GIT_DIR"] = "$ROOT/repo/.git" } },
        new("env-git-work-tree", Dirt) { Leaked = new Dictionary<string, string> { ["GIT_WORK_TREE"] = "$ROOT/outside" } },
        new("env-git-index-file", $"{Dirt}; echo y > staged.txt; git add staged.txt") { Leaked = new Dictionary<string, string> { ["GIT_INDEX_FILE"] = "$ROOT/repo/.git/index" } },
        new("env-config-params", $"pwn $ROOT/evil.sh; {Dirt}")
        {
            Leaked = new Dictionary<string, string>
            {
                ["GIT_CONFIG_PARAMETERS"] = "'core.fsmonitor'='$ROOT/evil.sh'",
                ["GIT_CONFIG_COUNT"] = "1",
                ["GIT_CONFIG_KEY_0"] = "core.fsmonitor",
                ["GIT_CONFIG_VALUE_0"] = "$ROOT/evil.sh",
            },
        },
        new("git-not-on-path", Dirt) { MayQuarantine = true, Leaked = new Dictionary<string, string> { ["PATH"] = "$ROOT/outside" } },
        new("safe-directory", "as_root \"chown 1:1 $SLOT $SLOT/.git\"; echo x >> src/b.txt") { NeedsRoot = true },
        new("safe-directory-common", "as_root \"chown -R 1:1 $COMMON\"; echo x >> src/b.txt") { NeedsRoot = true },
        new("live-writer", "background 'while :; do echo x >> spam.txt; echo y > spam.$RANDOM; sleep 0.02; done'; until test -e spam.txt; do sleep 0.01; done") { MayQuarantine = true },
        new("live-cwd", "background 'sleep 300'") { MayQuarantine = true },
        new("live-index-lock", $"{Dirt}; background \"GIT_EDITOR='sleep 300; true' git commit -a\"; until test -e $ADMIN/index.lock; do sleep 0.01; done") { MayQuarantine = true },
        new("disk-full", """
            cp -a . $SLOT.bak; rm -r $SLOT.bak/src
            as_root 'mount -t tmpfs -o size=4m tmpfs $SLOT; cp -a $SLOT.bak/. $SLOT/; rm -r $SLOT.bak; mount -o remount,size=$(du -sk $SLOT | cut -f1)k $SLOT'
            """) { NeedsRoot = true, MayQuarantine = true },
        new("slot-is-mountpoint", "cp -a . $SLOT.bak; cd $ROOT; as_root 'mount -t tmpfs -o size=1m tmpfs $SLOT; cp -a $SLOT.bak/. $SLOT/; rm -r $SLOT.bak $SLOT/.git; echo x > $SLOT/junk'") { NeedsRoot = true },
    ];
}
