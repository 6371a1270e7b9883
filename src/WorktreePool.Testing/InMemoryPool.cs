using System.Globalization;

namespace WorktreePool.Testing;

/// <summary>The records that several <see cref="InMemorySlotStateStore"/>s share. Every method is one step that nobody sees half done.</summary>
internal sealed class InMemoryPool
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SlotRecord> _slots = [];
    private readonly Dictionary<string, Holder> _locks = [];
    private readonly List<HistoryEntry> _history = [];
    private PoolRecord _record = new();
    private long _changes;
    private TaskCompletionSource _next = NewSignal();

    private string Stamp => _changes.ToString(CultureInfo.InvariantCulture);

    public PoolState Read()
    {
        lock (_lock)
        {
            return new PoolState(_record, [.. _slots.Values.OrderBy(s => s.Slot.Length).ThenBy(s => s.Slot, StringComparer.Ordinal)], Stamp);
        }
    }

    public StoreResult CompareAndSet(long expectedVersion, SlotRecord next)
    {
        lock (_lock)
        {
            if (VersionOf(next.Slot) != expectedVersion)
            {
                return new StoreResult(StoreOutcome.Conflict, null);
            }

            if (next.Lease is { } lease && _slots.Values.Any(s => s.Slot != next.Slot && s.Lease?.Key == lease.Key))
            {
                return new StoreResult(StoreOutcome.KeyHeld, null);
            }

            SlotRecord stored = Own(next) with { Version = expectedVersion + 1 };
            _slots[stored.Slot] = stored;
            Changed();
            return new StoreResult(StoreOutcome.Applied, stored);
        }
    }

    public bool Remove(string slot, long expectedVersion)
    {
        lock (_lock)
        {
            if (VersionOf(slot) != expectedVersion || !_slots.Remove(slot))
            {
                return false;
            }

            Changed();
            return true;
        }
    }

    public bool CompareAndSetPool(long expectedVersion, PoolRecord next)
    {
        lock (_lock)
        {
            if (_record.Version != expectedVersion)
            {
                return false;
            }

            _record = next with { Version = expectedVersion + 1 };
            Changed();
            return true;
        }
    }

    /// <summary>Completes at the first change that the stamp does not know, at once when there was one.</summary>
    public Task ChangeAfter(string stamp)
    {
        lock (_lock)
        {
            return stamp == Stamp ? _next.Task : Task.CompletedTask;
        }
    }

    public IAsyncDisposable? TryLock(string slot, InMemorySlotStateStore process)
    {
        lock (_lock)
        {
            var holder = new Holder(this, slot, process);
            return _locks.TryAdd(slot, holder) ? holder : null;
        }
    }

    /// <summary>Frees all that a process held.</summary>
    public void Unlock(InMemorySlotStateStore process)
    {
        lock (_lock)
        {
            foreach (Holder holder in _locks.Values.Where(h => h.Process == process).ToList())
            {
                _locks.Remove(holder.Slot);
            }
        }
    }

    public void Append(HistoryEntry entry)
    {
        lock (_lock)
        {
            _history.Add(entry with { Findings = [.. entry.Findings], Rescued = [.. entry.Rescued] });
        }
    }

    public IReadOnlyList<HistoryEntry> ReadHistory(HistoryQuery query)
    {
        lock (_lock)
        {
            return [.. Enumerable.Reverse(_history)
                .Where(e => (query.Slot is null || e.Slot == query.Slot) && (query.Key is null || e.Key == query.Key))
                .Take(query.Limit)];
        }
    }

    private long VersionOf(string slot) => _slots.TryGetValue(slot, out SlotRecord? stored) ? stored.Version : 0;

    private void Changed()
    {
        _changes++;
        TaskCompletionSource signal = _next;
        _next = NewSignal();
        signal.SetResult();
    }

    /// <summary>Waiters must go on after the lock is left, not inside it.</summary>
    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the caller may still change must not change what is stored.</summary>
    private static SlotRecord Own(SlotRecord record) => record with
    {
        Lease = record.Lease is { } lease ? lease with { Metadata = new Dictionary<string, string>(lease.Metadata) } : null,
        LastHeal = record.LastHeal is { } heal ? heal with { Findings = [.. heal.Findings] } : null,
    };

    /// <summary>One working lock.</summary>
    private sealed class Holder(InMemoryPool pool, string slot, InMemorySlotStateStore process) : IAsyncDisposable
    {
        public string Slot => slot;

        public InMemorySlotStateStore Process => process;

        public ValueTask DisposeAsync()
        {
            lock (pool._lock)
            {
                // Disposed twice, or after the process was ended, the lock may be another's by now.
                if (pool._locks.TryGetValue(slot, out Holder? holder) && holder == this)
                {
                    pool._locks.Remove(slot);
                }
            }

            return ValueTask.CompletedTask;
        }
    }
}
