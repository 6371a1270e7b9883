namespace WorktreePool.FileState;

/// <summary>The embedded default store. Readers take no lock; a writer holds the store lock for a few file operations and nothing else.</summary>
internal sealed partial class FileSlotStateStore : IMovableStateStore
{
    /// <summary>Watching can fail silently (network file systems, overflow): then a waiter looks for itself this often.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    private readonly TimeProvider _time;
    private readonly string _host;
    private readonly StateFiles _files;
    private readonly HistoryFile _history;
    private readonly HistoryPruner _pruner;
    private readonly MoveFile _move;
    private readonly StoreLock _lock;
    private readonly SlotLocks _slotLocks;
    private readonly ChangeWatch _watch;
    private bool _swept;

    /// <param name="poolDirectory">The pool's directory.</param>
    /// <param name="time">The clock.</param>
    /// <param name="slotsDirectory">Where the slots lie, for one whose record is lost; null: in the pool's directory.</param>
    /// <param name="host">This machine's name in records; null: its own.</param>
    public FileSlotStateStore(string poolDirectory, TimeProvider time, string? slotsDirectory = null, string? host = null)
    {
        (_time, _host) = (time, host ?? Environment.MachineName);
        _files = new StateFiles(poolDirectory, slotsDirectory ?? Path.Combine(poolDirectory, "slots"), _host);
        _history = new HistoryFile(Path.Combine(poolDirectory, "history.jsonl"));
        _pruner = new HistoryPruner(Path.Combine(poolDirectory, "history.jsonl"), _files.StateDirectory);
        _move = new MoveFile(Path.Combine(_files.StateDirectory, "move.json"));
        _lock = new StoreLock(_files.StoreLock, time);
        _slotLocks = new SlotLocks(time, _files.SlotLock);
        _watch = new ChangeWatch(_files.StoreLock);
    }

    public ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        PoolState state = Read(cancellationToken);
        _move.RequireHere(state.Stamp);
        return ValueTask.FromResult(state);
    }

    public ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken) => SetAsync(expectedVersion, next, null, cancellationToken);

    public ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, HistoryEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return SetAsync(expectedVersion, next, HistoryFile.Write(entry), cancellationToken);
    }

    public ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken)
    {
        RequireName(slot);
        return ChangeAsync(
            held =>
            {
                PoolState state = _files.Mend(held, slot, TellRestored);
                bool matches = SlotOrder.Find(state.Slots, slot) is { } record && record.Version == expectedVersion;
                if (matches)
                {
                    _files.DeleteSlot(held, state, slot);
                }

                return matches;
            },
            cancellationToken);
    }

    public ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        return ChangeAsync(
            held =>
            {
                PoolState state = _files.Mend(held, null, TellRestored);
                bool matches = state.Pool.Version == expectedVersion;
                if (matches)
                {
                    _files.WritePool(held, state, next with { Version = expectedVersion + 1 });
                }

                return matches;
            },
            cancellationToken);
    }

    public async ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _files.Watch();
        while (true)
        {
            // First the promise of a signal, then the look: a change falls before the look or gives the signal.
            Task changed = _watch.Next();
            if (Read(cancellationToken).Stamp != stamp)
            {
                return;
            }

            await changed.WaitAsync(Poll, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (changed.IsCompleted)
            {
                // The caller reads the state anyway.
                await changed.ConfigureAwait(false);
                return;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _watch.Dispose();
        _files.Dispose();
        return ValueTask.CompletedTask;
    }

    private ValueTask<StoreResult> SetAsync(long expectedVersion, SlotRecord next, byte[]? entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        RequireName(next.Slot);
        SlotRecord stored = next with { Version = expectedVersion + 1 };
        byte[] content = StateFiles.Write(stored);
        return ChangeAsync(
            held =>
            {
                PoolState state = _files.Mend(held, next.Slot, TellRestored);
                if ((SlotOrder.Find(state.Slots, next.Slot)?.Version ?? 0) != expectedVersion)
                {
                    return new StoreResult(StoreOutcome.Conflict, null);
                }

                if (next.Lease is { } lease && state.Slots.FirstOrDefault(slot => slot.Slot != next.Slot && slot.Lease?.Key == lease.Key) is { } holder)
                {
                    return new StoreResult(StoreOutcome.KeyHeld, null, holder);
                }

                _files.WriteSlot(held, state, stored, content, isUrgent: false);
                return new StoreResult(StoreOutcome.Applied, stored) { HistoryFault = entry is null ? null : TryAppend(entry) };
            },
            cancellationToken);
    }

    private PoolState Read(CancellationToken cancellationToken)
    {
        try
        {
            return _files.Read(cancellationToken);
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            throw Unreadable(e);
        }
    }

    /// <summary>Every change of a store in use.</summary>
    private ValueTask<T> ChangeAsync<T>(Func<StoreLock.Held, T> change, CancellationToken cancellationToken, FileAccess toState = FileAccess.ReadWrite) =>
        AloneAsync(
            held =>
            {
                _move.RequireHere(held);
                T result = change(held);
                _move.Keep(held);
                return result;
            },
            cancellationToken,
            toState);

    /// <summary>Every change: the directory is there, the lock is held, and the debris of killed writers is gone.</summary>
    private async ValueTask<T> AloneAsync<T>(Func<StoreLock.Held, T> change, CancellationToken cancellationToken, FileAccess toState = FileAccess.ReadWrite)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            if (_swept)
            {
                try
                {
                    return await UnderLockAsync(change, toState, cancellationToken).ConfigureAwait(false);
                }
                catch (DirectoryNotFoundException)
                {
                    // Somebody has removed a directory. What is left is restored.
                }
            }

            _files.Create();
            return await UnderLockAsync(change, toState, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            throw Unwritable(e);
        }
    }

    private ValueTask<T> UnderLockAsync<T>(Func<StoreLock.Held, T> change, FileAccess toState, CancellationToken cancellationToken) =>
        _lock.RunAsync(
            held =>
            {
                if (!_swept || held.Number is null)
                {
                    _files.Sweep();
                    _swept = true;
                }

                return change(held);
            },
            toState,
            TellContinued,
            cancellationToken);

    /// <summary>.NET tells of a file that may not grow (a limit on file sizes) as a wrong argument, and of one that is no file (a pipe) as not supported.</summary>
    private static bool IsStorageFault(Exception e) => e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException or NotSupportedException;

    private StateStoreException Unreadable(Exception e) => new(
        $"The pool's state in {_files.StateDirectory} could not be read: {e.Message} Nothing was changed. Check the directory's rights and the disk.", e);

    private StateStoreException Unwritable(Exception e) => new(
        $"The pool's state in {_files.StateDirectory} could not be changed: {e.Message} It is as it was. Check the directory's rights and the disk's space.", e);

    private static void RequireName(string slot)
    {
        ArgumentException.ThrowIfNullOrEmpty(slot);
        if (!slot.StartsWith("slot-", StringComparison.Ordinal) || !slot.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            throw new ArgumentException($"\"{slot}\" is no slot's name: it is slot- and then a-z, 0-9 and - only.", nameof(slot));
        }
    }
}
