namespace WorktreePool.Testing;

/// <summary>
/// A store without files or clocks, safe for many threads. Each instance stands for one process: <see cref="Connect"/> makes
/// another one over the same records, and disposing one is the end of its process, with its working locks free and its hands tied.
/// </summary>
public sealed class InMemorySlotStateStore : ISlotStateStore
{
    private readonly InMemoryPool _pool;
    private readonly CancellationTokenSource _ended = new();

    /// <summary>An empty pool.</summary>
    public InMemorySlotStateStore() : this(new InMemoryPool())
    {
    }

    private InMemorySlotStateStore(InMemoryPool pool) => _pool = pool;

    /// <summary>Another process over the same records.</summary>
    public InMemorySlotStateStore Connect() => new(_pool);

    /// <inheritdoc/>
    public bool MayBlock => false;

    /// <inheritdoc/>
    public ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken)
    {
        Begin(cancellationToken);
        return ValueTask.FromResult(_pool.Read());
    }

    /// <inheritdoc/>
    public ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken)
    {
        return ValueTask.FromResult(CompareAndSet(expectedVersion, next, cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, HistoryEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        StoreResult result = CompareAndSet(expectedVersion, next, cancellationToken);
        if (result.Applied)
        {
            _pool.Append(entry);
        }

        return ValueTask.FromResult(result);
    }

    /// <inheritdoc/>
    public ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken)
    {
        RequireName(slot);
        Begin(cancellationToken);
        return ValueTask.FromResult(_pool.Remove(slot, expectedVersion));
    }

    /// <inheritdoc/>
    public ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        Begin(cancellationToken);
        return ValueTask.FromResult(_pool.CompareAndSetPool(expectedVersion, next));
    }

    /// <inheritdoc/>
    public async ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken)
    {
        Begin(cancellationToken);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        try
        {
            await _pool.ChangeAfter(stamp).WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Begin(cancellationToken);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken)
    {
        RequireName(slot);
        Begin(cancellationToken);
        return ValueTask.FromResult<IAsyncDisposable?>(_pool.TryLock(slot, this));
    }

    /// <inheritdoc/>
    public ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        Begin(cancellationToken);
        _pool.Append(entry);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        Begin(cancellationToken);
        return ValueTask.FromResult(_pool.ReadHistory(query));
    }

    /// <inheritdoc/>
    public ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        Begin(cancellationToken);
        return ValueTask.FromResult(_pool.PruneHistory(before));
    }

    /// <summary>Ends this "process": its working locks are free, its waits end, and it can change nothing more. The records stay for others.</summary>
    public ValueTask DisposeAsync()
    {
        _ended.Cancel();
        _pool.Unlock(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>A cancelled caller gets nothing, and neither does one whose process is said to have ended.</summary>
    private StoreResult CompareAndSet(long expectedVersion, SlotRecord next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        RequireName(next.Slot);
        Begin(cancellationToken);
        return _pool.CompareAndSet(expectedVersion, next);
    }

    private void Begin(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_ended.IsCancellationRequested, this);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static void RequireName(string slot)
    {
        ArgumentException.ThrowIfNullOrEmpty(slot);
        if (!slot.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            throw new ArgumentException($"\"{slot}\" is no slot name: only a-z, 0-9 and - are allowed.", nameof(slot));
        }
    }
}
