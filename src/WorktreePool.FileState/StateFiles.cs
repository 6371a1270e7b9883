using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>The files of a pool's state: where they lie, and what they mean together.</summary>
internal sealed class StateFiles(string poolDirectory, string slotsDirectory, string host) : IDisposable
{
    /// <summary>How often to look for the end of a change that is under way.</summary>
    private const int Looks = 50;

    private readonly StateDocuments _documents = new(Path.Combine(poolDirectory, "state"), Path.Combine(poolDirectory, "state-copy"));

    /// <summary>One reader at a time takes in what was touched.</summary>
    private readonly Lock _refreshing = new();

    private volatile Seen? _seen;
    private bool _listed;

    /// <summary>Whether this process has looked once at everything under the lock, the journals too.</summary>
    private bool _mended;

    /// <summary>Under the store lock: whether nothing was lost when the state was mended.</summary>
    private bool _isWhole;

    public string StateDirectory { get; } = Path.Combine(poolDirectory, "state");

    public string StoreLock => Path.Combine(StateDirectory, "store.lock");

    private string CopyDirectory { get; } = Path.Combine(poolDirectory, "state-copy");

    public string SlotLock(string slot) => Path.Combine(StateDirectory, $"{slot}.lock");

    /// <summary>The state as of one moment, with a stamp that differs whenever a record does.</summary>
    public PoolState Read(CancellationToken cancellationToken)
    {
        PoolState? before = null;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (LookAtTouched() is { } fresh)
            {
                return fresh;
            }

            long? number = ReadCounter();
            if (number is { } settled && Refresh(settled, () => ChangeCounter.Read(StoreLock) == settled) is { } seen)
            {
                return seen.State;
            }

            // Should it fail, the next change must fail too.
            _seen = null;
            Readings readings = ReadAll(document => document.Read(number is not null), pool => pool.Read(number is not null));
            if (number is not null && ChangeCounter.Read(StoreLock) == number)
            {
                return Keep(readings, number);
            }

            // A writer is at work, or died at it, while files are read one after the other: only two reads that agree were both true between them.
            PoolState state = readings.ToState(null);
            if (state.Stamp == before?.Stamp)
            {
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
        if (_mended && held.Number is { } number && Recall(number, slot) is { } seen)
        {
            _documents.ForgetJournals(all: false);
            _isWhole = seen.IsWhole;
            return seen.State;
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
    /// <returns>The state after it.</returns>
    public PoolState WriteSlot(StoreLock.Held held, PoolState state, SlotRecord record, byte[] content)
    {
        held.Begin();
        bool isSettled = _documents.Of(record.Slot).Write(content, record);
        IEnumerable<SlotRecord> slots = state.Slots.Any(slot => slot.Slot == record.Slot)
            ? state.Slots.Select(slot => slot.Slot == record.Slot ? record : slot)
            : Readings.InOrder(state.Slots.Append(record));
        return End(held, state with { Slots = [.. slots] }, isSettled);
    }

    /// <summary>Under the store lock: replaces the pool's own record.</summary>
    public void WritePool(StoreLock.Held held, PoolState state, PoolRecord record)
    {
        held.Begin();
        End(held, state with { Pool = record }, _documents.Pool.Write(StateDocument.Write(record, StateJson.Default.PoolRecord), record));
    }

    /// <summary>Under the store lock: removes a slot's record.</summary>
    /// <returns>The state after it.</returns>
    public PoolState DeleteSlot(StoreLock.Held held, PoolState state, string slot)
    {
        held.Begin();
        _documents.Delete(slot);
        return End(held, state with { Slots = [.. state.Slots.Where(record => record.Slot != slot)] }, isSettled: true);
    }

    /// <summary>Makes the directories, at the first write.</summary>
    public void Create()
    {
        foreach (string directory in new[] { StateDirectory, CopyDirectory }.Where(directory => !Directory.Exists(directory)))
        {
            Directory.CreateDirectory(directory);
            CrashPoint.Reached("state directory made");
            DirectorySync.Flush(poolDirectory);
        }
    }

    /// <summary>Asks to be told of touched files from now on, so that they need not all be looked at.</summary>
    public void Watch() => _documents.Watch();

    public void Dispose() => _documents.Dispose();

    /// <summary>Removes what writers that were killed left behind. Under the store lock only: no other writer is at work then.</summary>
    public void Sweep()
    {
        foreach (string left in new[] { StateDirectory, CopyDirectory }.SelectMany(directory => Directory.EnumerateFiles(directory, "*" + DocumentFile.Temporary)))
        {
            File.Delete(left);
            CrashPoint.Reached("state debris deleted");
        }
    }

    /// <summary>The change counter. A change takes a fraction of a millisecond, and reading every file in the middle of one takes longer, so its end is awaited for that long.</summary>
    private long? ReadCounter()
    {
        long? number = ChangeCounter.Read(StoreLock);
        for (int look = 0; number is null && look < Looks && File.Exists(StoreLock); look++)
        {
            Thread.Yield();
            number = ChangeCounter.Read(StoreLock);
        }

        return number;
    }

    /// <summary>
    /// The state by what touches tell, even while a writer is at work: a change that is not over may be seen or not. No change was over in between that
    /// is not seen if the counter has gone on by one change at most.
    /// </summary>
    private PoolState? LookAtTouched()
    {
        if (!_documents.AreTouchesTold)
        {
            return null;
        }

        using SafeFileHandle? counter = UnixCalls.TryOpen(StoreLock, FileAccess.Read);
        for (int look = 0; look < Looks && counter is not null && ChangeCounter.ReadRaw(counter) is > 0 and var counted; look++)
        {
            if (Refresh(counted, IsCurrent) is { } seen)
            {
                return seen.State;
            }

            if (ChangeCounter.ReadRaw(counter) == counted)
            {
                // Everything must be read; or a writer died at work, and which of its files are the later ones, only their journals tell.
                return null;
            }

            // A writer that died while it was at it lets nobody wait: its lock is free.
            bool IsCurrent() => ChangeCounter.ReadRaw(counter) is var now
                && (now == counted ? ChangeCounter.IsSettled(counted) || Flock.IsHeld(counter) : now > counted && now <= ChangeCounter.After(counted));
        }

        return null;
    }

    /// <summary>Under the store lock, as long as the slot's files are as this process knows them.</summary>
    private Seen? Recall(long number, string? slot) =>
        _seen is { } seen && seen.Number == number && _documents.IsUntouched(slot) ? seen : Refresh(number, () => true);

    /// <summary>What is known, and what was touched since.</summary>
    /// <param name="counted">The change counter.</param>
    /// <param name="isCurrent">Whether what was read since is of one moment.</param>
    /// <returns>Null when everything must be read, or the counter again.</returns>
    private Seen? Refresh(long counted, Func<bool> isCurrent)
    {
        (long number, bool isSettled) = (ChangeCounter.Before(counted), ChangeCounter.IsSettled(counted));
        lock (_refreshing)
        {
            if (_seen is not { } seen || number < seen.Number)
            {
                return null;
            }

            if (number == seen.Number && _documents.AreUntouched())
            {
                return isSettled || isCurrent() ? seen : null;
            }

            if (!seen.IsWhole || _documents.TakeTouched() is not { } touched)
            {
                return null;
            }

            if (touched.IsNothing && number != seen.Number)
            {
                // Another directory has come into its place.
                _documents.Unwatch();
                return null;
            }

            Seen? next = Renew(seen, touched, number, isSettled);
            bool isKept = next is not null && isCurrent() && Interlocked.CompareExchange(ref _seen, next, seen) == seen;
            if (!isKept || !isSettled)
            {
                _documents.PutBack(touched);
            }

            return isKept ? next : null;
        }
    }

    private Seen? Renew(Seen seen, Touched touched, long number, bool isSettled)
    {
        SlotRecord[] slots = [.. seen.State.Slots];
        bool isNew = false;
        foreach (string slot in touched.Slots)
        {
            TwinDocument<SlotRecord> document = _documents.Of(slot);
            if ((isSettled ? document.Read(isSettled) : document.ReadFile()) is not { Record: { } record, Damage: null })
            {
                return null;
            }

            int at = Array.FindIndex(slots, known => known.Slot == slot);
            isNew |= at < 0;
            slots = at < 0 ? [.. slots, record] : slots;
            slots[at < 0 ? ^1 : at] = record;
        }

        PoolRecord pool = seen.State.Pool;
        if (touched.Pool)
        {
            Reading<PoolRecord> reading = isSettled ? _documents.Pool.Read(isSettled) : _documents.Pool.ReadFile();
            if (reading is { Record: null } or { Damage: not null })
            {
                // Also when there never was one.
                return reading.Damage is null && pool.Version == 0 ? Next() : null;
            }

            pool = reading.Record;
        }

        return Next();

        Seen Next() => new(number, new PoolState(pool, isNew ? Readings.InOrder(slots) : slots, Readings.StampOf(number)), IsWhole: true);
    }

    /// <summary>What was read while nothing changed need not be read again until something does; unless it is damaged, which must be seen.</summary>
    private PoolState Keep(Readings readings, long? number)
    {
        PoolState state = readings.ToState(number);
        _seen = readings.IsWhole ? new Seen(number!.Value, state, IsWhole: true) : null;
        return state;
    }

    /// <summary>Lets others know that the state is at rest again, unless a file lags behind its journal: then they go on reading both.</summary>
    private PoolState End(StoreLock.Held held, PoolState state, bool isSettled)
    {
        _seen = null;
        if (isSettled)
        {
            long number = held.End();
            _seen = new Seen(number, state with { Stamp = Readings.StampOf(number) }, _isWhole);
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
        return new Readings([.. _documents.Slots.Select(known => new SlotReading(known.Key, known.Value, OrGone(known.Key, slot(known.Value))))], own, _documents.Pool.LostAt, slotsDirectory, host);
    }

    /// <summary>A slot without any record is none of this pool's; unless the pool has worked in it, which its lock file tells: then its record is lost.</summary>
    private Reading<SlotRecord> OrGone(string slot, Reading<SlotRecord> reading) =>
        reading is { Record: null, Damage: null } && File.Exists(SlotLock(slot)) && HasPlace(slot) ? new Reading<SlotRecord>(null, "both are missing") : reading;

    /// <summary>Whether something lies where the slot would.</summary>
    private bool HasPlace(string slot) => Path.Exists(Path.Combine(slotsDirectory, slot));

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

    /// <summary>The state while the change counter stands at a number.</summary>
    /// <param name="Number">The number.</param>
    /// <param name="State">The state; while a change is under way, before it or after it.</param>
    /// <param name="IsWhole">Whether no record is lost.</param>
    private sealed record Seen(long Number, PoolState State, bool IsWhole);
}
