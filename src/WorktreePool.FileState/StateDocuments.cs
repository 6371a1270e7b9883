using System.Collections.Concurrent;
using System.Text.Json;

namespace WorktreePool.FileState;

/// <summary>The documents of a pool's state that this process knows, and which of them were touched since they were read or written last.</summary>
/// <param name="stateDirectory">Where the files lie that people read.</param>
/// <param name="copyDirectory">Where their journals lie.</param>
internal sealed class StateDocuments(string stateDirectory, string copyDirectory) : IDisposable
{
    /// <summary>What a journal's name ends in.</summary>
    public const string Journal = ".journal";

    private const string PoolName = "pool-record";

    /// <summary>
    /// The slots this process has seen. One in it is looked for even if a listing lacks it: some file systems (btrfs) leave out a name
    /// that is being replaced during the listing, while opening it by name always finds old or new.
    /// </summary>
    private readonly ConcurrentDictionary<string, TwinDocument<SlotRecord>> _slots = [];

    private readonly Lock _looking = new();

    /// <summary>The slots that may have been touched, so that a read need not ask all of them.</summary>
    private readonly HashSet<TwinDocument<SlotRecord>> _doubtful = [];

    private readonly FileTouches _touches = new(stateDirectory);

    /// <summary>Each slot's.</summary>
    public IEnumerable<KeyValuePair<string, TwinDocument<SlotRecord>>> Slots => _slots;

    /// <summary>The pool's own.</summary>
    public TwinDocument<PoolRecord> Pool { get; } = new(
        Path.Combine(stateDirectory, PoolName + ".json"),
        Path.Combine(copyDirectory, PoolName + Journal),
        Path.Combine(copyDirectory, PoolName + ".json"),
        ParsePool,
        record => record.Version);

    /// <summary>One slot's, known from now on.</summary>
    public TwinDocument<SlotRecord> Of(string slot)
    {
        if (_slots.TryGetValue(slot, out TwinDocument<SlotRecord>? known))
        {
            return known;
        }

        lock (_looking)
        {
            TwinDocument<SlotRecord> document = _slots.GetOrAdd(slot, _ => new TwinDocument<SlotRecord>(
                Path.Combine(stateDirectory, $"{slot}.json"), Path.Combine(copyDirectory, slot + Journal), Path.Combine(copyDirectory, $"{slot}.json"), ParseSlot, record => record.Version));
            _doubtful.Add(document);
            return document;
        }
    }

    /// <summary>Under the store lock: removes a slot's.</summary>
    public void Delete(string slot)
    {
        TwinDocument<SlotRecord> document = Of(slot);
        document.Delete();
        lock (_looking)
        {
            _slots.TryRemove(slot, out _);
            _doubtful.Remove(document);
        }
    }

    /// <summary>Under the store lock: another process may have written journals.</summary>
    public void ForgetJournals()
    {
        foreach (TwinDocument<SlotRecord> slot in _slots.Values)
        {
            slot.ForgetJournal();
        }

        Pool.ForgetJournal();
    }

    /// <summary>Asks to be told of touched files from now on, so that they need not all be looked at.</summary>
    public void Watch()
    {
        lock (_looking)
        {
            _touches.Begin();
        }
    }

    /// <summary>Whether no file was touched since it was read or written last.</summary>
    public bool AreUntouched()
    {
        lock (_looking)
        {
            Settle();
            _doubtful.RemoveWhere(slot => slot.IsUntouched());
            return Pool.IsUntouched() && _doubtful.Count == 0;
        }
    }

    /// <summary>The same of one slot, or of the pool's own record.</summary>
    /// <param name="slot">The slot; null: the pool's own.</param>
    public bool IsUntouched(string? slot)
    {
        lock (_looking)
        {
            Settle();
            return slot is null ? Pool.IsUntouched() : !_slots.TryGetValue(slot, out TwinDocument<SlotRecord>? document) || document.IsUntouched();
        }
    }

    public void Dispose()
    {
        lock (_looking)
        {
            _touches.Dispose();
        }
    }

    /// <summary>Under the lock: tells the documents which of them were touched.</summary>
    private void Settle()
    {
        if (!_touches.TryTell(Touch))
        {
            foreach (TwinDocument<SlotRecord> slot in _slots.Values)
            {
                Touch(slot);
            }

            Pool.Touch();
        }
    }

    private void Touch(string file)
    {
        if (file == PoolName + ".json")
        {
            Pool.Touch();
        }
        else if (_slots.TryGetValue(Path.GetFileNameWithoutExtension(file), out TwinDocument<SlotRecord>? document))
        {
            Touch(document);
        }
    }

    private void Touch(TwinDocument<SlotRecord> document)
    {
        document.Touch();
        _doubtful.Add(document);
    }

    private static SlotRecord ParseSlot(string file, byte[] content)
    {
        SlotRecord record = StateDocument.Read(file, content, StateJson.Default.SlotRecord);
        return record.Slot == Path.GetFileNameWithoutExtension(file) && record.Version >= 1 ? record : throw new JsonException($"it tells of version {record.Version} of \"{record.Slot}\".");
    }

    private static PoolRecord ParsePool(string file, byte[] content)
    {
        PoolRecord record = StateDocument.Read(file, content, StateJson.Default.PoolRecord);
        return record.Version >= 1 ? record : throw new JsonException($"it has version {record.Version}.");
    }
}
