namespace WorktreePool.Desync.Tests.Damage;

/// <summary>J. Submodules.</summary>
internal static class Submodules
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        In("sub-dirty", "cd libs/sub; echo x >> lib.txt; echo u > u.txt; echo s > s.txt; git add s.txt"),
        In("sub-wrong-commit", "git -C libs/sub checkout -q -b elsewhere HEAD~1"),
        In("sub-new-commit", "cd libs/sub; echo n >> lib.txt; git commit -qam n; cd ../..; git add libs/sub; git commit -qm bump"),
        In("sub-gitmodules-modified", "sed -i s,url.*,url=$ROOT/evil.git, .gitmodules; git submodule sync -q; git config submodule.libs/sub.url $ROOT/evil.git"),
        In("sub-added", "git -c protocol.file.allow=always submodule --quiet add $SUBMODULE libs/two; git commit -qm two"),
        In("sub-deinit", "git submodule --quiet deinit -f libs/sub"),
        In("sub-gitdir-missing", "rm -rf $ADMIN/modules/libs/sub"),
        In("sub-index-lock", ": > $ADMIN/modules/libs/sub/index.lock; echo x >> libs/sub/lib.txt"),
        In("sub-config-poison", "pwn $ROOT/evil.sh; git -C libs/sub config core.fsmonitor $ROOT/evil.sh; echo x >> libs/sub/lib.txt"),
        In("sub-replaced-by-file", "rm -r libs/sub; echo f > libs/sub"),
        In("sub-merge-in-progress", "cd libs/sub; git checkout -q -b x HEAD~1; echo c >> lib.txt; git commit -qam c; ! git merge origin/main"),
    ];

    private static DamagedState In(string id, string script) => new(id, script) { InSubmodule = true };
}
