using System.Text.Json;

namespace WorktreePool.FileState;

/// <summary>
/// A record's document, kept twice: the file that people read, and a copy in another directory. What a disk loses of one is restored from the other;
/// the later version counts. The file is written first, and durably; the copy reaches the disk when the system writes it, for it is needed only when
/// what was durable is lost.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="copy">Its copy.</param>
/// <param name="parse">Reads a record from a file's bytes; throws <see cref="JsonException"/> when they are damaged.</param>
/// <param name="versionOf">The record's version.</param>
internal sealed class TwinDocument<T>(string file, string copy, Func<string, byte[], T> parse, Func<T, long> versionOf)
    where T : class
{
    /// <summary>The bytes this process has seen last, with the record they meant: the same bytes need not be parsed again.</summary>
    private volatile Side? _known;

    /// <summary>Without a lock: the file, and its copy when the file is not what this process has seen already.</summary>
    public Reading<T> Read()
    {
        Side main = Load(file);
        return main.Record is not null && main == _known ? new Reading<T>(main.Record, null) : Better(main, Load(copy));
    }

    /// <summary>Under the store lock: reads both, and makes them the same.</summary>
    /// <returns>The record; and why it had to be restored from the copy, or why it is lost.</returns>
    public Reading<T> Mend()
    {
        Side main = Load(file), second = Load(copy);
        Reading<T> reading = Better(main, second);
        if (reading.Record is not null && reading.Damage is not null)
        {
            KeepAside();
            DocumentFile.Write(file, second.Content!, isDurable: true);
        }
        else if (reading.Record is not null && (second.Content is null || !second.Content.AsSpan().SequenceEqual(main.Content)))
        {
            // Whoever wrote the file was killed before the copy.
            WriteCopy(main.Content!);
        }

        return reading;
    }

    /// <summary>Under the store lock: replaces the record. What is damaged beyond restoring is kept aside for a person to look at.</summary>
    public void Write(byte[] content)
    {
        if (Load(file).Damage is not null)
        {
            KeepAside();
        }

        DocumentFile.Write(file, content, isDurable: true);
        WriteCopy(content);
    }

    /// <summary>Under the store lock: removes the record. The copy first, or a crash between the two would bring the record back.</summary>
    public void Delete()
    {
        DocumentFile.Delete(copy);
        DocumentFile.Delete(file);
    }

    /// <summary>When a record that is lost was last written, in seconds of the common era that Unix counts: the same for every reader.</summary>
    public long LostAt() => new[] { file, copy }.Max(path => new DateTimeOffset(File.GetLastWriteTimeUtc(path)).ToUnixTimeSeconds());

    /// <summary>The record is written already, so a copy that cannot be is no failure. But an old one must not be taken for the record later.</summary>
    private void WriteCopy(byte[] content)
    {
        try
        {
            DocumentFile.Write(copy, content, isDurable: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            DocumentFile.TryDelete(copy);
        }
    }

    private void KeepAside()
    {
        if (File.Exists(file))
        {
            File.Move(file, file + DocumentFile.Damaged, overwrite: true);
            CrashPoint.Reached("damaged state file kept aside");
        }
    }

    private Reading<T> Better(Side main, Side second)
    {
        if (second.Record is not null && (main.Record is null || versionOf(second.Record) > versionOf(main.Record)))
        {
            return new Reading<T>(second.Record, main.Damage ?? (main.Content is null ? "it is missing." : $"it has version {versionOf(main.Record!)}, and its copy {versionOf(second.Record)}."));
        }

        _known = main.Record is null ? null : main;
        return new Reading<T>(main.Record, main.Record is not null ? null : main.Damage ?? second.Damage);
    }

    private Side Load(string path)
    {
        if (DocumentFile.TryRead(path) is not { } content)
        {
            return new Side(null, null, null);
        }

        if (_known is { } known && known.Content.AsSpan().SequenceEqual(content))
        {
            return known;
        }

        try
        {
            return new Side(content, parse(path, content), null);
        }
        catch (JsonException e)
        {
            return new Side(content, null, e.Message);
        }
    }

    /// <summary>One of the two: its bytes unless it is missing, the record they mean unless they are damaged, and how they are.</summary>
    private sealed record Side(byte[]? Content, T? Record, string? Damage);
}

/// <summary>What the two say. With a record, a damage was undone by the copy; without one, the record is lost, or never was when there is no damage.</summary>
internal sealed record Reading<T>(T? Record, string? Damage)
    where T : class;
