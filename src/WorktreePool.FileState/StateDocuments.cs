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

    private const string Form = ".json";

    private const string PoolName = "pool-record";

    /// <summary>
    /// The slots this process has seen. One in it is looked for even if a listing lacks it: some file systems (btrfs) leave out a name
    /// that is being replaced during the listing, while opening it by name always finds old or new.
    /// </summary>
    private readonly ConcurrentDictionary<string, TwinDocument<SlotRecord>> _slots = [];

    private readonly Lock _looking = new();

    /// <summary>The slots that may have been touched, so that a read need not ask all of them.</summary>
    private readonly HashSet<string> _doubtful = [];

    /// <summary>The slots whose journals another process may have written.</summary>
    private readonly HashSet<string> _unsure = [];

    private readonly FileTouches _touches = new(stateDirectory);

    /// <summary>Whether all slots there are have been listed since touches are told: no other can come unseen.</summary>
    private bool _isListed;

    /// <summary>The same of the pool's own record.</summary>
    private bool _isPoolDoubtful = true, _isPoolUnsure = true;

    /// <summary>Each slot's.</summary>
    public IEnumerable<KeyValuePair<string, TwinDocument<SlotRecord>>> Slots => _slots;

    /// <summary>The pool's own.</summary>
    public TwinDocument<PoolRecord> Pool { get; } = new(
        Path.Combine(stateDirectory, PoolName + Form),
        Path.Combine(copyDirectory, PoolName + Journal),
        Path.Combine(copyDirectory, PoolName + Form),
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
                Path.Combine(stateDirectory, slot + Form), Path.Combine(copyDirectory, slot + Journal), Path.Combine(copyDirectory, slot + Form), ParseSlot, record => record.Version));
            _doubtful.Add(slot);
            return document;
        }
    }

    /// <summary>Under the store lock: replaces a slot's record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="isSure">Whether the version before is known to be on the disk.</param>
    /// <param name="later">Is given what brings this one to the disk; null: it is there when this returns.</param>
    /// <returns>Whether its file was written, too; if not, the journal alone tells.</returns>
    public bool Write(SlotRecord record, byte[] content, bool isSure, Action<Action>? later)
    {
        bool isSettled = Of(record.Slot).Write(content, record, isSure, later);
        lock (_looking)
        {
            // Told of now is this process's own writing, and what it has written over.
            if (isSettled && Settle())
            {
                Of(record.Slot).Believe();
                _doubtful.Remove(record.Slot);
            }
        }

        return isSettled;
    }

    /// <summary>The same of the pool's own.</summary>
    public bool Write(PoolRecord record, byte[] content)
    {
        bool isSettled = Pool.Write(content, record, isSure: true, later: null);
        lock (_looking)
        {
            if (isSettled && Settle())
            {
                Pool.Believe();
                _isPoolDoubtful = false;
            }
        }

        return isSettled;
    }

    /// <summary>Under the store lock: removes a slot's.</summary>
    public void Delete(string slot)
    {
        Of(slot).Delete();
        lock (_looking)
        {
            _slots.TryRemove(slot, out _);
            _doubtful.Remove(slot);
        }
    }

    /// <summary>Everything is about to be listed and read.</summary>
    public void BeginListing()
    {
        lock (_looking)
        {
            _isListed = _touches.IsTold;
            _unsure.UnionWith(_slots.Keys);
            _isPoolUnsure = true;
        }
    }

    /// <summary>Under the store lock: journals that another process may have written are read before the next version goes into them.</summary>
    /// <param name="all">Whether that may be each of them.</param>
    public void ForgetJournals(bool all)
    {
        lock (_looking)
        {
            foreach (string slot in all ? _slots.Keys : _unsure)
            {
                if (_slots.TryGetValue(slot, out TwinDocument<SlotRecord>? document))
                {
                    document.ForgetJournal();
                }
            }

            if (all || _isPoolUnsure)
            {
                Pool.ForgetJournal();
            }

            _unsure.Clear();
            _isPoolUnsure = false;
        }
    }

    /// <summary>Asks to be told of touched files from now on, so that they need not all be looked at.</summary>
    public void Watch()
    {
        lock (_looking)
        {
            if (_touches.Begin())
            {
                // What was touched between the last look and now is told by nobody.
                _isListed = false;
                TouchAll();
            }
        }
    }

    /// <summary>No longer.</summary>
    public void Unwatch()
    {
        lock (_looking)
        {
            _touches.End();
        }
    }

    /// <summary>Whether touches are told, so that <see cref="TakeTouched"/> may answer.</summary>
    public bool AreTouchesTold
    {
        get
        {
            lock (_looking)
            {
                return _touches.IsTold && _isListed;
            }
        }
    }

    /// <summary>Whether no file was touched since it said what the state tells of it.</summary>
    public bool AreUntouched(PoolState state)
    {
        lock (_looking)
        {
            Settle();
            _doubtful.RemoveWhere(slot => IsStill(state, slot));
            _isPoolDoubtful = _isPoolDoubtful && !IsStill(state.Pool);
            return !_isPoolDoubtful && _doubtful.Count == 0;
        }
    }

    /// <summary>What was touched since it was taken last; null when it may be anything.</summary>
    public Touched? TakeTouched()
    {
        lock (_looking)
        {
            if (!Settle() || !_isListed)
            {
                return null;
            }

            var touched = new Touched([.. _doubtful], _isPoolDoubtful);
            _unsure.UnionWith(_doubtful);
            _isPoolUnsure |= _isPoolDoubtful;
            _doubtful.Clear();
            _isPoolDoubtful = false;
            return touched;
        }
    }

    /// <summary>What was taken is not yet known, and to be taken again.</summary>
    public void PutBack(Touched touched)
    {
        lock (_looking)
        {
            _doubtful.UnionWith(touched.Slots);
            _isPoolDoubtful |= touched.Pool;
        }
    }

    /// <summary>The same of one slot, or of the pool's own record.</summary>
    /// <param name="state">The state.</param>
    /// <param name="slot">The slot; null: the pool's own.</param>
    public bool IsUntouched(PoolState state, string? slot)
    {
        lock (_looking)
        {
            Settle();
            return slot is null ? IsStill(state.Pool) : IsStill(state, slot);
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
    /// <returns>False when it may be any of them.</returns>
    private bool Settle()
    {
        if (_touches.TryTell(Touch))
        {
            return true;
        }

        TouchAll();
        return false;
    }

    private bool IsStill(PoolState state, string slot) => !_slots.TryGetValue(slot, out TwinDocument<SlotRecord>? document) || document.IsStill(SlotOrder.Find(state.Slots, slot));

    /// <summary>A pool that was never written has a record all the same.</summary>
    private bool IsStill(PoolRecord record) => Pool.IsStill(record.Version > 0 ? record : null);

    private void TouchAll()
    {
        foreach (string slot in _slots.Keys)
        {
            TouchSlot(slot);
        }

        TouchPool();
    }

    private void Touch(string file)
    {
        if (!file.EndsWith(Form, StringComparison.Ordinal))
        {
            // A lock, or what is to be put in place.
            return;
        }

        string name = file[..^Form.Length];
        if (name == PoolName)
        {
            TouchPool();
        }
        else if (name.StartsWith("slot-", StringComparison.Ordinal))
        {
            TouchSlot(name);
        }
    }

    private void TouchSlot(string slot)
    {
        Of(slot).Touch();
        _doubtful.Add(slot);
    }

    private void TouchPool()
    {
        Pool.Touch();
        _isPoolDoubtful = true;
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

/// <summary>What was touched.</summary>
/// <param name="Slots">The slots whose files were.</param>
/// <param name="Pool">Whether the file of the pool's own record was.</param>
internal sealed record Touched(IReadOnlyList<string> Slots, bool Pool)
{
    /// <summary>Whether nothing was.</summary>
    public bool IsNothing => Slots.Count == 0 && !Pool;
}
