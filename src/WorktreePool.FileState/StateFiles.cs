using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace WorktreePool.FileState;

/// <summary>The files of a pool's state: where they lie, how one is read, and how one is replaced so that readers see old or new, never half.</summary>
internal sealed class StateFiles(string poolDirectory)
{
    private const string Temporary = ".tmp";

    /// <summary>
    /// Files this process has seen, with the record their bytes meant. The same bytes mean the same record, so it need not be parsed
    /// again. And a file in it is looked for even if a listing lacks it: some file systems (btrfs) leave out a name
    /// that is being replaced during the listing, while opening it by name always finds old or new.
    /// </summary>
    private readonly ConcurrentDictionary<string, Parsed?> _known = [];

    private bool _listed;

    public string StateDirectory { get; } = Path.Combine(poolDirectory, "state");

    public string StoreLock => Path.Combine(StateDirectory, "store.lock");

    private string PoolFile => Path.Combine(StateDirectory, "pool-record.json");

    public string SlotLock(string slot) => Path.Combine(StateDirectory, $"{slot}.lock");

    /// <summary>The state, with a stamp that differs whenever a record does.</summary>
    public PoolState Read()
    {
        PoolRecord pool = ReadPool();
        IReadOnlyList<SlotRecord> slots = ReadSlots();
        string stamp = string.Join(
            ' ',
            slots.Select(slot => string.Create(CultureInfo.InvariantCulture, $"{slot.Slot}:{slot.Version}.{slot.Epoch}.{slot.UpdatedAt.UtcTicks}"))
                .Prepend(pool.Version.ToString(CultureInfo.InvariantCulture)));
        return new PoolState(pool, slots, stamp);
    }

    public IReadOnlyList<SlotRecord> ReadSlots()
    {
        if (List() && !_listed)
        {
            // Nothing was known to make up for what that first listing may lack.
            _listed = List();
        }

        var slots = new List<SlotRecord>();
        foreach (string file in _known.Keys)
        {
            if (ReadSlot(file) is { } record)
            {
                slots.Add(record);
            }
        }

        return [.. slots.OrderBy(record => record.Slot.Length).ThenBy(record => record.Slot, StringComparer.Ordinal)];
    }

    public PoolRecord ReadPool()
    {
        if (TryReadFile(PoolFile) is not { } content)
        {
            return new PoolRecord();
        }

        PoolRecord record = Parse(PoolFile, content, StateJson.Default.PoolRecord);
        return record.Version >= 1 ? record : throw Damaged(PoolFile, $"it has version {record.Version}.");
    }

    public void WriteSlot(SlotRecord record) => Write(SlotFile(record.Slot), StateDocument.Write(record, StateJson.Default.SlotRecord));

    public void WritePool(PoolRecord record) => Write(PoolFile, StateDocument.Write(record, StateJson.Default.PoolRecord));

    public void DeleteSlot(string slot)
    {
        File.Delete(SlotFile(slot));
        DirectorySync.Flush(StateDirectory);
    }

    /// <summary>Makes the directory, at the first write.</summary>
    public void Create()
    {
        if (!Directory.Exists(StateDirectory))
        {
            Directory.CreateDirectory(StateDirectory);
            DirectorySync.Flush(poolDirectory);
        }
    }

    /// <summary>Removes what writers that were killed left behind. Under the store lock only: no other writer is at work then.</summary>
    public void Sweep()
    {
        foreach (string left in Directory.EnumerateFiles(StateDirectory, "*" + Temporary))
        {
            File.Delete(left);
        }
    }

    private string SlotFile(string slot) => Path.Combine(StateDirectory, $"{slot}.json");

    /// <summary>Adds to what is known; false when there is no directory.</summary>
    private bool List()
    {
        try
        {
            // Not only files: a directory of that name hides a record, and reading it says so.
            foreach (string file in Directory.EnumerateFileSystemEntries(StateDirectory, "slot-*.json"))
            {
                _known.TryAdd(file, null);
            }

            return true;
        }
        catch (DirectoryNotFoundException) when (!File.Exists(StateDirectory))
        {
            // The pool was never written.
            return false;
        }
    }

    private SlotRecord? ReadSlot(string file)
    {
        if (TryReadFile(file) is not { } content)
        {
            return null;
        }

        if (_known.GetValueOrDefault(file) is { } parsed && parsed.Content.AsSpan().SequenceEqual(content))
        {
            return parsed.Record;
        }

        SlotRecord record = Parse(file, content, StateJson.Default.SlotRecord);
        if (record.Slot != Path.GetFileNameWithoutExtension(file) || record.Version < 1)
        {
            throw Damaged(file, $"it tells of version {record.Version} of \"{record.Slot}\".");
        }

        _known[file] = new Parsed(content, record);
        return record;
    }

    private static byte[]? TryReadFile(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static T Parse<T>(string file, byte[] content, JsonTypeInfo<T> type)
    {
        try
        {
            return StateDocument.Read(file, content, type);
        }
        catch (JsonException e)
        {
            throw Damaged(file, e.Message);
        }
    }

    private static StateStoreException Damaged(string file, string what) => new(
        $"{file} is damaged: {what} Nothing was changed. Repair the file, or move it away together with what it tells of: a slot's directory, when no one works in it any more. The pool then makes both anew.");

    /// <summary>Sibling, fsync, rename, fsync of the directory: durable when it returns, and readers see old or new.</summary>
    private void Write(string file, byte[] content)
    {
        string sibling = file + Temporary;
        try
        {
            using (var stream = new FileStream(sibling, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(sibling, file, overwrite: true);
        }
        catch
        {
            // On a full disk every byte counts. What cannot be removed now, the next writer sweeps away.
            TryDelete(sibling);
            throw;
        }

        DirectorySync.Flush(StateDirectory);
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that led here is the one to tell of.
        }
    }

    private sealed record Parsed(byte[] Content, SlotRecord Record);
}
