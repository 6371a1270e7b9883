using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>The history: one line of JSON per entry, only ever added to; what is too old goes by <see cref="HistoryPruner"/>.</summary>
internal sealed class HistoryFile(string path)
{
    private const int BlockSize = 64 * 1024;

    private const FileShare Everyone = FileShare.ReadWrite | FileShare.Delete;

    /// <summary>An entry as the file has it. Made without the lock, for others wait for that.</summary>
    public static byte[] Write(HistoryEntry entry) => ReadableJson.Write(ReadableJson.OneLine, writer => JsonSerializer.Serialize(writer, entry, HistoryJson.Default.HistoryEntry));

    /// <summary>Adds an entry. Under the store lock: .NET's append mode only starts at the end, so two processes would overwrite each other.</summary>
    public void Append(HistoryEntry entry) => Append(Write(entry));

    /// <summary>The same.</summary>
    /// <param name="line">From <see cref="Write"/>.</param>
    public void Append(byte[] line)
    {
        using SafeFileHandle file = UnixCalls.OpenOrCreate(path);

        // A last line without its end was torn by a crash; a new line keeps it from spoiling this one.
        long length = UnixCalls.LengthOf(file);
        Span<byte> last = [(byte)'\n'];
        bool torn = length > 0 && RandomAccess.Read(file, last, length - 1) == 1 && last[0] != '\n';
        RandomAccess.Write(file, torn ? [(byte)'\n', .. line] : line, length);
        CrashPoint.Reached("history appended");
    }

    /// <summary>All that can be read, oldest first. Under the store lock.</summary>
    public IReadOnlyList<HistoryEntry> ReadAll() =>
        DocumentFile.TryRead(path) is { } content ? [.. Encoding.UTF8.GetString(content).Split('\n').Select(line => Parse(Encoding.UTF8.GetBytes(line))).OfType<HistoryEntry>()] : [];

    /// <summary>The newest entries that match, newest first, reading no more of the file than it takes.</summary>
    public async ValueTask<IReadOnlyList<HistoryEntry>> ReadAsync(HistoryQuery query, CancellationToken cancellationToken)
    {
        List<HistoryEntry> entries = [];
        await foreach (byte[] line in LinesFromTheEnd(cancellationToken).ConfigureAwait(false))
        {
            if (Parse(line) is { } entry && query.Selects(entry))
            {
                entries.Add(entry);
                if (entries.Count == query.Limit)
                {
                    break;
                }
            }
        }

        return entries;
    }

    private async IAsyncEnumerable<byte[]> LinesFromTheEnd([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, Everyone, bufferSize: 0, useAsync: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            yield break;
        }

        await using (stream.ConfigureAwait(false))
        {
            byte[] rest = [];
            for (long position = stream.Length; position > 0;)
            {
                int size = (int)Math.Min(BlockSize, position);
                position -= size;
                byte[] block = new byte[size + rest.Length];
                stream.Position = position;
                await stream.ReadExactlyAsync(block.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
                rest.CopyTo(block, size);

                int end = block.Length;
                for (int newline = LastNewline(block, end); newline >= 0; newline = LastNewline(block, end))
                {
                    yield return block[(newline + 1)..end];
                    end = newline;
                }

                rest = block[..end];
            }

            yield return rest;
        }
    }

    /// <summary>The lines of an open history up to a length, oldest first, without their ends.</summary>
    public static async IAsyncEnumerable<byte[]> LinesFromTheStart(FileStream history, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        history.Position = 0;
        byte[] rest = [];
        for (long position = 0; position < length;)
        {
            int size = (int)Math.Min(BlockSize, length - position);
            position += size;
            byte[] block = new byte[rest.Length + size];
            rest.CopyTo(block, 0);
            await history.ReadExactlyAsync(block.AsMemory(rest.Length, size), cancellationToken).ConfigureAwait(false);

            int start = 0;
            for (int newline; (newline = block.AsSpan(start).IndexOf((byte)'\n')) >= 0; start += newline + 1)
            {
                yield return block[start..(start + newline)];
            }

            rest = block[start..];
        }

        if (rest.Length > 0)
        {
            yield return rest;
        }
    }

    private static int LastNewline(byte[] block, int end) => block.AsSpan(0, end).LastIndexOf((byte)'\n');

    /// <summary>Null for a line torn by a crash, or in the middle of being written.</summary>
    public static HistoryEntry? Parse(byte[] line)
    {
        try
        {
            return line.Length == 0 ? null : JsonSerializer.Deserialize(line, HistoryJson.Default.HistoryEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
