namespace WorktreePool.FileState.Tests;

/// <summary>What a process knows of the state without reading it again.</summary>
public sealed class KnownStateTests : IDisposable
{
    private readonly PoolDirectory _pool = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_read_before_an_own_change_does_not_take_the_place_of_what_was_written()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetPoolAsync(0, new PoolRecord(), Token);
        using var documents = new StateDocuments(_pool.State, _pool.Copies);
        documents.Pool.Read(isSettled: false).Record.Should().NotBeNull();
        var known = new KnownState(documents);
        PoolState read = State(1), written = State(2);

        // A reader that was held up: it has read all, and before it says so this process writes. Nobody is told of its own writing.
        long before = known.Forget();
        known.KeepWritten(4, written, isWhole: true);
        known.KeepRead(2, read, before);
        known.Recall(4, null)!.Value.State.Should().BeSameAs(written);

        known.KeepRead(6, read, known.Forget());
        known.Recall(6, null)!.Value.State.Should().BeSameAs(read);
    }

    public void Dispose() => _pool.Dispose();

    private static PoolState State(long version) => new(new PoolRecord { Version = version }, [], "");
}
