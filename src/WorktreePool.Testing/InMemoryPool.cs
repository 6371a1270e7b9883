using System.Globalization;

namespace WorktreePool.Testing;

/// <summary>The records that several <see cref="InMemorySlotStateStore"/>s share. Every method is one step that nobody sees half done.</summary>
internal sealed class InMemoryPool
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _keys = [];
    private readonly Dictionary<string, Holder> _locks = [];
    private readonly List<HistoryEntry> _history = [];
    private PoolRecord _record = new();

    /// <summary>By number. Never changed, only replaced: readers keep it.</summary>
    private SlotRecord[] _slots = [];
    private long _changes;
    private TaskCompletionSource _next = NewSignal();

    private string Stamp => _changes.ToString(CultureInfo.InvariantCulture);

    public PoolState Read()
    {
        lock (_lock)
        {
            return new PoolState(_record, _slots, Stamp);
        }
    }

    public StoreResult CompareAndSet(long expectedVersion, SlotRecord next)
    {
        lock (_lock)
        {
            int at = SlotOrder.IndexOf(_slots, next.Slot);
            SlotRecord? before = at < 0 ? null : _slots[at];
            if ((before?.Version ?? 0) != expectedVersion)
            {
                return new StoreResult(StoreOutcome.Conflict, null);
            }

            if (next.Lease is { } lease && _keys.TryGetValue(lease.Key, out string? slot) && slot != next.Slot)
            {
                return new StoreResult(StoreOutcome.KeyHeld, null, _slots[SlotOrder.IndexOf(_slots, slot)]);
            }

            SlotRecord stored = Own(next) with { Version = expectedVersion + 1 };
            ForgetKey(before);
            if (stored.Lease is { } taken)
            {
                _keys[taken.Key] = stored.Slot;
            }

            Replace(at, stored);
            Changed();
            return new StoreResult(StoreOutcome.Applied, stored);
        }
    }

    public bool Remove(string slot, long expectedVersion)
    {
        lock (_lock)
        {
            int at = SlotOrder.IndexOf(_slots, slot);
            if (at < 0 || _slots[at].Version != expectedVersion)
            {
                return false;
            }

            ForgetKey(_slots[at]);
            _slots = [.. _slots[..at], .. _slots[(at + 1)..]];
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

            _record = next with { Version = expectedVersion + 1, Gates = next.Gates is null ? null : new Dictionary<string, GateRecord>(next.Gates) };
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

    public bool PruneHistory(DateTimeOffset before)
    {
        lock (_lock)
        {
            return _history.RemoveAll(entry => entry.At < before) > 0;
        }
    }

    public IReadOnlyList<HistoryEntry> ReadHistory(HistoryQuery query)
    {
        lock (_lock)
        {
            return [.. Enumerable.Reverse(_history).Where(query.Selects).Take(query.Limit)];
        }
    }

    private void Replace(int at, SlotRecord stored)
    {
        if (at < 0)
        {
            _slots = [.. _slots[..~at], stored, .. _slots[~at..]];
            return;
        }

        var slots = (SlotRecord[])_slots.Clone();
        slots[at] = stored;
        _slots = slots;
    }

    private void ForgetKey(SlotRecord? record)
    {
        if (record?.Lease is { } lease)
        {
            _keys.Remove(lease.Key);
        }
    }

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
        Lease = record.Lease is { Metadata.Count: > 0 } lease ? lease with { Metadata = new Dictionary<string, string>(lease.Metadata) } : record.Lease,
        SetUp = record.SetUp is { } setUp ? new SetUpRecord([.. setUp.Copied], [.. setUp.Steps]) : null,
        LastHeal = record.LastHeal is { Findings.Count: > 0 } heal ? heal with { Findings = [.. heal.Findings] } : record.LastHeal,
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
