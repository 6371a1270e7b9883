using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace WorktreePool.FileState;

/// <summary>The files of a pool's state: where they lie, how one is read, and how one is replaced so that readers see old or new, never half.</summary>
internal sealed partial class StateFiles(string poolDirectory)
{
    /// <summary>The form this version writes and the newest it reads.</summary>
    private const int Schema = 1;

    private const string Temporary = ".tmp";

    public string StateDirectory { get; } = Path.Combine(poolDirectory, "state");

    public string StoreLock => Path.Combine(StateDirectory, "store.lock");

    public string History { get; } = Path.Combine(poolDirectory, "history.jsonl");

    private string PoolFile => Path.Combine(StateDirectory, "pool-record.json");

    public string SlotLock(string slot) => Path.Combine(StateDirectory, $"{slot}.lock");

    public List<SlotRecord> ReadSlots()
    {
        if (!Directory.Exists(StateDirectory))
        {
            return [];
        }

        var slots = new List<SlotRecord>();
        foreach (string file in Directory.EnumerateFiles(StateDirectory, "slot-*.json"))
        {
            if (Read(file, StateJson.Default.SlotDocument) is { } document)
            {
                SlotRecord record = document.Slot ?? throw Damaged(file, "it has no slot");
                if (record.Slot != Path.GetFileNameWithoutExtension(file) || record.Version < 1)
                {
                    throw Damaged(file, $"it tells of \"{record.Slot}\", version {record.Version}");
                }

                slots.Add(record);
            }
        }

        return [.. slots.OrderBy(record => Number(record.Slot)).ThenBy(record => record.Slot, StringComparer.Ordinal)];
    }

    public PoolRecord ReadPool() => Read(PoolFile, StateJson.Default.PoolDocument)?.Pool ?? new PoolRecord();

    public void WriteSlot(SlotRecord record) =>
        Write(SlotFile(record.Slot), JsonSerializer.SerializeToUtf8Bytes(new SlotDocument(Schema, record), StateJson.Default.SlotDocument));

    public void WritePool(PoolRecord record) =>
        Write(PoolFile, JsonSerializer.SerializeToUtf8Bytes(new PoolDocument(Schema, record), StateJson.Default.PoolDocument));

    public void DeleteSlot(string slot)
    {
        File.Delete(SlotFile(slot));
        SyncDirectory();
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

    private static int Number(string slot) =>
        int.TryParse(slot.AsSpan(slot.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : int.MaxValue;

    private static T? Read<T>(string file, JsonTypeInfo<T> type) where T : class
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        try
        {
            int schema = JsonSerializer.Deserialize(content, StateJson.Default.SchemaDocument)?.Schema ?? 0;
            return schema switch
            {
                > Schema => throw new StateStoreException(
                    $"{file} was written by a newer version of WorktreePool (schema {schema}, this one reads up to {Schema}). Nothing was changed. Update this program."),
                < 1 => throw Damaged(file, "it has no schema number"),
                _ => JsonSerializer.Deserialize(content, type) ?? throw Damaged(file, "it is empty"),
            };
        }
        catch (JsonException e)
        {
            throw Damaged(file, e.Message);
        }
    }

    private static StateStoreException Damaged(string file, string what) => new(
        $"{file} is damaged: {what} Nothing was changed. If no process uses the slot, delete the file: the slot's record is then made anew and its directory must be moved away first if it exists.");

    /// <summary>Sibling, fsync, rename, fsync of the directory (see renameio and git's lockfile.h): durable when it returns.</summary>
    private void Write(string file, byte[] content)
    {
        string sibling = $"{file}.{Environment.ProcessId}{Temporary}";
        using (var stream = new FileStream(sibling, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(sibling, file, overwrite: true);
        SyncDirectory();
    }

    /// <summary>A rename is durable only when its directory is. Windows has no such call and needs none: NTFS journals its directories.</summary>
    private void SyncDirectory()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(StateDirectory, 0);
        if (descriptor >= 0)
        {
            _ = Fsync(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
