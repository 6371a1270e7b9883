using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>A store whose answer to the hand-over of a slot never comes: the change is applied, and the wait for it cancelled, as over a network.</summary>
internal sealed class LateStore(InMemorySlotStateStore inner, Action handedOver) : ISlotStateStore
{
    public ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken) => inner.ReadAsync(cancellationToken);

    public async ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken)
    {
        StoreResult result = await inner.CompareAndSetAsync(expectedVersion, next, cancellationToken);
        if (next.State == SlotState.Leased)
        {
            handedOver();
            cancellationToken.ThrowIfCancellationRequested();
        }

        return result;
    }

    public ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken) => inner.RemoveAsync(slot, expectedVersion, cancellationToken);

    public ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken) => inner.CompareAndSetPoolAsync(expectedVersion, next, cancellationToken);

    public ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken) => inner.WaitForChangeAsync(stamp, cancellationToken);

    public ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken) => inner.TryLockSlotAsync(slot, cancellationToken);

    public ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken) => inner.AppendHistoryAsync(entry, cancellationToken);

    public ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken) => inner.ReadHistoryAsync(query, cancellationToken);

    public ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken) => inner.PruneHistoryAsync(before, limit, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
