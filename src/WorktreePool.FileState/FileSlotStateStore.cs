using System.Text;
using System.Text.Json;

namespace WorktreePool.FileState;

/// <summary>The embedded default store. Readers take no lock; a writer holds the store lock for a few file operations and nothing else.</summary>
internal sealed class FileSlotStateStore(string poolDirectory, TimeProvider time) : ISlotStateStore
{
    /// <summary>How long to wait before the store lock is tried again: it is held for about a millisecond.</summary>
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(2);

    /// <summary>Watching can fail silently (network file systems, overflow): then a waiter looks for itself this often.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    private readonly StateFiles _files = new(poolDirectory);
    private readonly ChangeWatch _watch = new(Path.Combine(poolDirectory, "state"));

    public ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Guard(Read));
    }

    public ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        CheckName(next.Slot);
        return WithLockAsync(
            () =>
            {
                List<SlotRecord> slots = _files.ReadSlots();
                if ((slots.FirstOrDefault(slot => slot.Slot == next.Slot)?.Version ?? 0) != expectedVersion)
                {
                    return new StoreResult(StoreOutcome.Conflict, null);
                }

                if (next.Lease is { } lease && slots.Any(slot => slot.Slot != next.Slot && slot.Lease?.Key == lease.Key))
                {
                    return new StoreResult(StoreOutcome.KeyHeld, null);
                }

                SlotRecord stored = next with { Version = expectedVersion + 1 };
                _files.WriteSlot(stored);
                return new StoreResult(StoreOutcome.Applied, stored);
            },
            cancellationToken);
    }

    public ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken)
    {
        CheckName(slot);
        return WithLockAsync(
            () =>
            {
                bool matches = _files.ReadSlots().Any(record => record.Slot == slot && record.Version == expectedVersion);
                if (matches)
                {
                    _files.DeleteSlot(slot);
                }

                return matches;
            },
            cancellationToken);
    }

    public ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        return WithLockAsync(
            () =>
            {
                bool matches = _files.ReadPool().Version == expectedVersion;
                if (matches)
                {
                    _files.WritePool(next with { Version = expectedVersion + 1 });
                }

                return matches;
            },
            cancellationToken);
    }

    public async ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed = _watch.Next();
            if (Guard(Read).Stamp != stamp)
            {
                return;
            }

            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(changed, Task.Delay(Poll, time, waiting.Token)).ConfigureAwait(false);
            await waiting.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckName(slot);
        return ValueTask.FromResult<IAsyncDisposable?>(Guard(() =>
        {
            Directory.CreateDirectory(_files.StateDirectory);
            return FileLock.TryTake(_files.SlotLock(slot));
        }));
    }

    public ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        byte[] line = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(entry, HistoryJson.Default.HistoryEntry) + "\n");
        Guard(() =>
        {
            // One write in append mode: lines of several processes never mix. A line torn by power loss is passed over by readers.
            Directory.CreateDirectory(poolDirectory);
            using var stream = new FileStream(_files.History, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            stream.Write(line);
            return true;
        });
        return ValueTask.CompletedTask;
    }

    public async ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        if (!File.Exists(_files.History))
        {
            return [];
        }

        var newest = new Queue<HistoryEntry>();
        await foreach (string line in File.ReadLinesAsync(_files.History, cancellationToken).ConfigureAwait(false))
        {
            if (Parse(line) is { } entry && (query.Slot is null || entry.Slot == query.Slot) && (query.Key is null || entry.Key == query.Key))
            {
                newest.Enqueue(entry);
                if (newest.Count > query.Limit)
                {
                    newest.Dequeue();
                }
            }
        }

        return [.. newest.Reverse()];
    }

    public ValueTask DisposeAsync()
    {
        _watch.Dispose();
        return ValueTask.CompletedTask;
    }

    private static HistoryEntry? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, HistoryJson.Default.HistoryEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private PoolState Read()
    {
        PoolRecord pool = _files.ReadPool();
        List<SlotRecord> slots = _files.ReadSlots();
        return new PoolState(pool, slots, string.Join(';', slots.Select(slot => $"{slot.Slot}:{slot.Epoch}.{slot.Version}").Prepend(pool.Version.ToString(System.Globalization.CultureInfo.InvariantCulture))));
    }

    private async ValueTask<T> WithLockAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        Guard(() => Directory.CreateDirectory(_files.StateDirectory));
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using FileStream? held = Guard(() => FileLock.TryTake(_files.StoreLock));
            if (held is not null)
            {
                return Guard(() =>
                {
                    _files.Sweep();
                    return work();
                });
            }

            await Task.Delay(LockRetry * (1 + Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }
    }

    private T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateStoreException($"The pool's state in {_files.StateDirectory} could not be read or written: {e.Message} It is as it was. Check the disk's space and the directory's rights.", e);
        }
    }

    private static void CheckName(string slot)
    {
        if (string.IsNullOrEmpty(slot) || !slot.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            throw new ArgumentException($"\"{slot}\" is no slot's name; it has lowercase letters, digits and hyphens only.", nameof(slot));
        }
    }
}
