namespace WorktreePool.Desync.Tests.Damage;

/// <summary>K. Filters.</summary>
internal static class Filters
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("lfs-filter-missing", """
            git clone -q $ORIGIN $ROOT/lfsseed; cd $ROOT/lfsseed; echo '*.bin filter=lfs diff=lfs merge=lfs -text' >> .gitattributes
            printf 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n' > big.bin; git add -A; git commit -qm lfs; git push -q origin main; cd $SLOT; rm -rf $ROOT/lfsseed
            git update-ref -d refs/remotes/origin/main
            git config filter.lfs.smudge 'git-lfs smudge -- %f'; git config filter.lfs.process 'git-lfs filter-process'; git config filter.lfs.clean 'git-lfs clean -- %f'; git config filter.lfs.required true
            """),
    ];
}
