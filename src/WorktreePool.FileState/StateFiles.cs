using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace WorktreePool.FileState;

/// <summary>The files of a pool's state: where they lie, and what they mean together.</summary>
internal sealed class StateFiles(string poolDirectory, string slotsDirectory, string host)
{
    /// <summary>
    /// The slots this process has seen. One in it is looked for even if a listing lacks it: some file systems (btrfs) leave out a name
    /// that is being replaced during the listing, while opening it by name always finds old or new.
    /// </summary>
    private readonly ConcurrentDictionary<string, TwinDocument<SlotRecord>> _known = [];

    private readonly TwinDocument<PoolRecord> _pool = new(
        Path.Combine(poolDirectory, "state", "pool-record.json"), Path.Combine(poolDirectory, "state-copy", "pool-record.json"), ParsePool, record => record.Version);

    private bool _listed;

    public string StateDirectory { get; } = Path.Combine(poolDirectory, "state");

    public string StoreLock => Path.Combine(StateDirectory, "store.lock");

    private string CopyDirectory { get; } = Path.Combine(poolDirectory, "state-copy");

    public string SlotLock(string slot) => Path.Combine(StateDirectory, $"{slot}.lock");

    /// <summary>The state, with a stamp that differs whenever a record does.</summary>
    public PoolState Read()
    {
        PoolRecord pool = Meaning(_pool.Read());
        if (!_listed)
        {
            // Twice: the first time nothing is known to make up for what a listing may lack.
            List(CopyDirectory);
            List(StateDirectory);
            _listed = true;
        }

        List(StateDirectory);
        IReadOnlyList<SlotRecord> slots = InOrder(_known.Select(slot => Meaning(slot.Key, slot.Value, slot.Value.Read())));
        string stamp = string.Join(
            ' ',
            slots.Select(slot => string.Create(CultureInfo.InvariantCulture, $"{slot.Slot}:{slot.Version}.{slot.Epoch}.{slot.UpdatedAt.UtcTicks}"))
                .Prepend(pool.Version.ToString(CultureInfo.InvariantCulture)));
        return new PoolState(pool, slots, stamp);
    }

    /// <summary>Under the store lock: the slots' records, after what is damaged was restored.</summary>
    /// <param name="restored">Told of each restored record: its slot, and what was wrong.</param>
    public IReadOnlyList<SlotRecord> MendSlots(Action<string?, string> restored)
    {
        List(CopyDirectory);
        List(StateDirectory);
        return InOrder(_known.Select(slot => Meaning(slot.Key, slot.Value, Told(slot.Key, slot.Value.Mend(), restored))));
    }

    /// <summary>Under the store lock: the pool's own record, after it was restored if it was damaged.</summary>
    public PoolRecord MendPool(Action<string?, string> restored) => Meaning(Told(null, _pool.Mend(), restored));

    public void WriteSlot(SlotRecord record) => Document(record.Slot).Write(StateDocument.Write(record, StateJson.Default.SlotRecord));

    public void WritePool(PoolRecord record) => _pool.Write(StateDocument.Write(record, StateJson.Default.PoolRecord));

    public void DeleteSlot(string slot) => Document(slot).Delete();

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

    /// <summary>Removes what writers that were killed left behind. Under the store lock only: no other writer is at work then.</summary>
    public void Sweep()
    {
        foreach (string left in new[] { StateDirectory, CopyDirectory }.SelectMany(directory => Directory.EnumerateFiles(directory, "*" + DocumentFile.Temporary)))
        {
            File.Delete(left);
            CrashPoint.Reached("state debris deleted");
        }
    }

    private TwinDocument<SlotRecord> Document(string slot) => _known.GetOrAdd(slot, _ => new TwinDocument<SlotRecord>(
        Path.Combine(StateDirectory, $"{slot}.json"), Path.Combine(CopyDirectory, $"{slot}.json"), ParseSlot, record => record.Version));

    /// <summary>Adds to what is known.</summary>
    private void List(string directory)
    {
        try
        {
            // Not only files: a directory of that name hides a record, and reading it says so.
            foreach (string file in Directory.EnumerateFileSystemEntries(directory, "slot-*.json"))
            {
                Document(Path.GetFileNameWithoutExtension(file));
            }
        }
        catch (DirectoryNotFoundException) when (!File.Exists(directory))
        {
            // The pool was never written, or this of it is lost.
        }
    }

    private static Reading<T> Told<T>(string? slot, Reading<T> reading, Action<string?, string> restored)
        where T : class
    {
        if (reading is { Record: not null, Damage: { } damage })
        {
            restored(slot, damage);
        }

        return reading;
    }

    private SlotRecord? Meaning(string slot, TwinDocument<SlotRecord> document, Reading<SlotRecord> reading) => reading switch
    {
        { Record: { } record } => record,
        { Damage: { } damage } => LostRecord.Slot(slot, host, Path.Combine(slotsDirectory, slot), document.LostAt(), damage),
        _ => null,
    };

    private PoolRecord Meaning(Reading<PoolRecord> reading) => reading switch
    {
        { Record: { } record } => record,
        { Damage: { } damage } => LostRecord.Pool(_pool.LostAt(), damage),
        _ => new PoolRecord(),
    };

    private static IReadOnlyList<SlotRecord> InOrder(IEnumerable<SlotRecord?> slots) =>
        [.. slots.OfType<SlotRecord>().OrderBy(record => record.Slot.Length).ThenBy(record => record.Slot, StringComparer.Ordinal)];

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
