namespace WorktreePool.Desync.Tests.Damage;

/// <summary>H. The object store.</summary>
internal static class ObjectStore
{
    public static IReadOnlyList<DamagedState> States { get; } =
    [
        new("obj-missing-blob", "unpack; rm -f $(object origin/main:src/a.txt); rm src/a.txt"),
        new("obj-zero-blob", "unpack; f=$(object origin/main:src/a.txt); chmod u+w $f; : > $f; rm src/a.txt"),
        new("obj-zero-tree", "unpack; f=$(object origin/main:src); chmod u+w $f; : > $f"),
        new("obj-zero-commit", "unpack; f=$(object origin/main); chmod u+w $f; : > $f"),
        new("obj-corrupt-pack", "git -C $REPO repack -adq; for p in $COMMON/objects/pack/*.pack; do chmod u+w $p; truncate -s 60 $p; done"),
        new("obj-store-gone", "find $COMMON/objects -mindepth 1 -delete"),
    ];
}
