using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>The files of a pool's state: where they lie, and what they mean together.</summary>
internal sealed class StateFiles : IDisposable
{
    /// <summary>How often to look for the end of a change that is under way.</summary>
    private const int Looks = 50;

    private readonly StateDocuments _documents;
    private readonly KnownState _known;
    private readonly string _poolDirectory, _slotsDirectory, _host;
    private bool _listed;

    /// <summary>Whether this process has looked once at everything under the lock, the journals too.</summary>
    private bool _mended;

    /// <summary>Under the store lock: whether nothing was lost when the state was mended.</summary>
    private bool _isWhole;

    /// <param name="poolDirectory">The pool's directory.</param>
    /// <param name="slotsDirectory">Where the slots lie, for one whose record is lost.</param>
    /// <param name="host">This machine's name in records.</param>
    public StateFiles(string poolDirectory, string slotsDirectory, string host)
    {
        (_poolDirectory, _slotsDirectory, _host) = (poolDirectory, slotsDirectory, host);
        (StateDirectory, CopyDirectory) = (Path.Combine(poolDirectory, "state"), Path.Combine(poolDirectory, "state-copy"));
        _documents = new StateDocuments(StateDirectory, CopyDirectory);
        _known = new KnownState(_documents);
    }

    public string StateDirectory { get; }

    public string StoreLock => Path.Combine(StateDirectory, "store.lock");

    private string CopyDirectory { get; }

    public string SlotLock(string slot) => Path.Combine(StateDirectory, $"{slot}.lock");

    /// <summary>The state as of one moment, with a stamp that differs whenever a record does.</summary>
    public PoolState Read(CancellationToken cancellationToken)
    {
        PoolState? before = null;
        bool isCrossed = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryRefresh() is { } known)
            {
                return known;
            }

            // Should it fail, the next change must fail too.
            long keeps = _known.Forget();
            long? number = ChangeCounter.Read(StoreLock);
            bool isSettled = number is not null && !isCrossed;
            Readings readings = ReadAll(document => document.Read(isSettled), pool => pool.Read(isSettled));
            if (number is { } settled && ChangeCounter.Read(StoreLock) == settled)
            {
                return Keep(readings, settled, keeps);
            }

            if (isSettled)
            {
                // Of a file that was written meanwhile half may have been read. From now on the journals, too.
                isCrossed = true;
                continue;
            }

            // A writer is at work, or died at it, while files are read one after the other: only two reads that agree were both true between them.
            PoolState state = readings.ToState(null);
            if (state.Stamp == before?.Stamp)
            {
                _known.Outdate();
                return state;
            }

            before = state;
        }
    }

    /// <summary>Under the store lock: the state, after what is damaged was restored.</summary>
    /// <param name="held">The lock.</param>
    /// <param name="slot">The slot that is to be changed; null: the pool's own record.</param>
    /// <param name="restored">Told of each restored record: its slot, and what was wrong.</param>
    public PoolState Mend(StoreLock.Held held, string? slot, Action<string?, string> restored)
    {
        if (_mended && held.Number is { } number && _known.Recall(number, slot) is { } known)
        {
            _documents.ForgetJournals(all: false);
            _isWhole = known.IsWhole;
            return known.State;
        }

        if (_mended)
        {
            // Other processes change the state, too.
            _documents.Watch();
        }

        _mended = true;
        _documents.ForgetJournals(all: true);
        ListAll();
        Readings readings = ReadAll(document => document.Mend(held), pool => pool.Mend(held));
        foreach (SlotReading reading in readings.Slots)
        {
            Tell(reading.Name, reading.Reading);
        }

        Tell(null, readings.Pool);
        PoolState state = readings.ToState(null);
        _isWhole = !readings.IsLost;
        if (held.HasBegun)
        {
            End(held, state, isSettled: true);
        }

        return state;

        void Tell<T>(string? name, Reading<T> reading)
            where T : class
        {
            if (reading is { Record: not null, Damage: { } damage })
            {
                restored(name, damage);
            }
        }
    }

    /// <summary>A slot's record as its file has it. Made without the lock, for others wait for that.</summary>
    public static byte[] Write(SlotRecord record) => StateDocument.Write(record, StateJson.Default.SlotRecord);

    /// <summary>Under the store lock: replaces a slot's record.</summary>
    /// <param name="held">The lock.</param>
    /// <param name="state">From <see cref="Mend"/>.</param>
    /// <param name="record">The new record.</param>
    /// <param name="content">From <see cref="Write"/>.</param>
    /// <param name="isUrgent">Whether it must be on the disk before the lock is given back, whatever it says.</param>
    /// <returns>The state after it.</returns>
    public PoolState WriteSlot(StoreLock.Held held, PoolState state, SlotRecord record, byte[] content, bool isUrgent)
    {
        held.Begin();
        SlotRecord? before = SlotOrder.Find(state.Slots, record.Slot);
        bool isSettled = _documents.Write(record, content, isSure: before?.Lease is null, isUrgent || FreesKey(before, record) ? null : held.Later);
        SlotRecord[] slots = before is not null
            ? [.. state.Slots.Select(slot => slot.Slot == record.Slot ? record : slot)]
            : SlotOrder.Of(state.Slots.Append(record));
        return End(held, state with { Slots = slots }, isSettled);
    }

    /// <summary>
    /// Whether others may claim a key once they see the change. Then it is on the disk before they do: theirs may be there sooner, and after a power loss the key would be held
    /// twice. All else is brought there when the lock was given back, and before its writer is told that it was made; the others wait for no disk then. A record without a lease
    /// is one that was on the disk before anybody saw it.
    /// </summary>
    private static bool FreesKey(SlotRecord? before, SlotRecord next) => next.Lease is not { } lease || (before?.Lease is { } former && former.Key != lease.Key);

    /// <summary>Under the store lock: replaces the pool's own record.</summary>
    public void WritePool(StoreLock.Held held, PoolState state, PoolRecord record)
    {
        held.Begin();
        End(held, state with { Pool = record }, _documents.Write(record, StateDocument.Write(record, StateJson.Default.PoolRecord)));
    }

    /// <summary>Under the store lock: removes a slot's record.</summary>
    /// <returns>The state after it.</returns>
    public PoolState DeleteSlot(StoreLock.Held held, PoolState state, string slot)
    {
        held.Begin();
        _documents.Delete(slot);
        return End(held, state with { Slots = state.Slots.Where(record => record.Slot != slot).ToArray() }, isSettled: true);
    }

    /// <summary>Makes the directories, at the first write.</summary>
    public void Create()
    {
        foreach (string directory in new[] { StateDirectory, CopyDirectory }.Where(directory => !Directory.Exists(directory)))
        {
            Directory.CreateDirectory(directory);
            CrashPoint.Reached("state directory made");
            DirectorySync.Flush(_poolDirectory);
        }
    }

    /// <summary>Asks to be told of touched files from now on, so that they need not all be looked at.</summary>
    public void Watch() => _documents.Watch();

    public void Dispose() => _documents.Dispose();

    /// <summary>Removes what writers that were killed left behind. Under the store lock only: no other writer is at work then.</summary>
    public void Sweep()
    {
        foreach (string left in new[] { StateDirectory, CopyDirectory }.SelectMany(directory => DocumentFile.Debris.SelectMany(ending => Directory.EnumerateFiles(directory, "*" + ending))))
        {
            File.Delete(left);
            CrashPoint.Reached("state debris deleted");
        }
    }

    /// <summary>
    /// The state by what is known of it. Where touches are not told, the end of a change that is under way is awaited: it takes a fraction of a millisecond, and reading
    /// every file in the midst of it takes longer.
    /// </summary>
    private PoolState? TryRefresh()
    {
        using SafeFileHandle? counter = ChangeCounter.TryOpen(StoreLock);
        for (int look = 0; look < Looks && counter is not null && ChangeCounter.Look(counter) is > 0 and var counted; look++)
        {
            if (_known.TryRefresh(counted, counter) is { } state)
            {
                return state;
            }

            bool waits = !ChangeCounter.IsSettled(counted) && !_documents.AreTouchesTold;
            if (waits)
            {
                Thread.Yield();
            }
            else if (ChangeCounter.Look(counter) == counted)
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>What was read while nothing changed need not be read again until something does; unless it is damaged, which must be seen.</summary>
    private PoolState Keep(Readings readings, long number, long keeps)
    {
        PoolState state = readings.ToState(number);
        if (readings.IsWhole)
        {
            _known.KeepRead(number, state, keeps);
        }

        return state;
    }

    /// <summary>Lets others know that the state is at rest again, unless a file lags behind its journal: then they go on reading both.</summary>
    private PoolState End(StoreLock.Held held, PoolState state, bool isSettled)
    {
        _known.Forget();
        if (isSettled)
        {
            long number = held.End();
            _known.KeepWritten(number, state with { Stamp = Readings.StampOf(number) }, _isWhole);
        }

        return state;
    }

    private Readings ReadAll(Func<TwinDocument<SlotRecord>, Reading<SlotRecord>> slot, Func<TwinDocument<PoolRecord>, Reading<PoolRecord>> pool)
    {
        _documents.BeginListing();
        Reading<PoolRecord> own = pool(_documents.Pool);
        if (!_listed)
        {
            // Twice: the first time nothing is known to make up for what a listing may lack.
            ListAll();
            _listed = true;
        }

        List(StateDirectory, "slot-*.json");
        return new Readings([.. _documents.Slots.Select(known => new SlotReading(known.Key, known.Value, OrGone(known.Key, slot(known.Value))))], own, _documents.Pool.LostAt, _slotsDirectory, _host);
    }

    /// <summary>A slot without any record is none of this pool's; unless the pool has worked in it, which its lock file tells: then its record is lost.</summary>
    private Reading<SlotRecord> OrGone(string slot, Reading<SlotRecord> reading) =>
        reading is { Record: null, Damage: null } && File.Exists(SlotLock(slot)) && HasPlace(slot) ? new Reading<SlotRecord>(null, "both are missing") : reading;

    /// <summary>Whether something lies where the slot would.</summary>
    private bool HasPlace(string slot) => Path.Exists(Path.Combine(_slotsDirectory, slot));

    private void ListAll()
    {
        List(CopyDirectory, "slot-*" + StateDocuments.Journal);
        List(CopyDirectory, "slot-*.json");
        List(StateDirectory, "slot-*.json");
        List(StateDirectory, "slot-*.lock", HasPlace);
    }

    /// <summary>Adds to what is known.</summary>
    private void List(string directory, string pattern, Func<string, bool>? isSlot = null)
    {
        try
        {
            // Not only files: a directory of that name hides a record, and reading it says so.
            foreach (string slot in Directory.EnumerateFileSystemEntries(directory, pattern).Select(file => Path.GetFileNameWithoutExtension(file)).Where(isSlot ?? (_ => true)))
            {
                _documents.Of(slot);
            }
        }
        catch (DirectoryNotFoundException) when (!File.Exists(directory))
        {
            // The pool was never written, or this of it is lost.
        }
    }
}
