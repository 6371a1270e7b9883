using WorktreePool.Testing.Conformance;

namespace WorktreePool.FileState.Tests;

/// <summary>The file store is a store like any other.</summary>
[ConformanceOf(typeof(FileSlotStateStore))]
public sealed class FileStoreConformanceTests : SlotStateStoreConformance
{
    private readonly PoolDirectory _pool = new();

    protected override ISlotStateStore Open() => _pool.Open();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _pool.Dispose();
    }
}
