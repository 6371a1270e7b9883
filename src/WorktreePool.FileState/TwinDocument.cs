using System.Text.Json;

namespace WorktreePool.FileState;

/// <summary>
/// A record's document, kept twice: the file that people read, and a journal in another directory. A change is durable once it is in the journal; the
/// file is then replaced and reaches the disk when the system writes it. What a disk loses of one is restored from the other; the later version counts.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="journal">Its journal.</param>
/// <param name="copy">Where former versions of this library kept a copy of the file in place of a journal.</param>
/// <param name="parse">Reads a record from a file's bytes; throws <see cref="JsonException"/> when they are damaged.</param>
/// <param name="versionOf">The record's version.</param>
internal sealed class TwinDocument<T>(string file, string journal, string copy, Func<string, byte[], T> parse, Func<T, long> versionOf)
    where T : class
{
    private readonly JournalFile _journal = new(journal);

    /// <summary>The bytes this process has seen last, with the record they meant: the same bytes need not be parsed again.</summary>
    private volatile Side? _known;

    /// <summary>The file's status when it was read or written last.</summary>
    private volatile FileStamp? _stamp;

    /// <summary>Whether it may have another by now.</summary>
    private bool _isDoubtful = true;

    /// <summary>Without a lock: the file; and its journal when the file is not what this process has seen already, or may lag behind.</summary>
    /// <param name="isSettled">Whether no writer is at work, nor died at it.</param>
    public Reading<T> Read(bool isSettled)
    {
        Side main = LoadFile();
        return isSettled && main.Record is not null && main == _known ? new Reading<T>(main.Record, null) : Better(main, LoadJournal());
    }

    /// <summary>Whether the file is still the one that was read or written last. Not for two threads at once.</summary>
    public bool IsUntouched()
    {
        if (_stamp is not { } stamp)
        {
            return false;
        }

        if (_isDoubtful)
        {
            // Before the look: what touches it from now on is told of later.
            _isDoubtful = false;
            _isDoubtful = UnixCalls.StampOf(file) != stamp;
        }

        return !_isDoubtful;
    }

    /// <summary>The file may have been touched, so it must be looked at.</summary>
    public void Touch() => _isDoubtful = true;

    /// <summary>Another process may have written the journal.</summary>
    public void ForgetJournal() => _journal.Forget();

    /// <summary>Under the store lock: reads both, and makes them the same.</summary>
    /// <param name="held">The lock.</param>
    /// <returns>The record; and why it had to be restored from the journal, or why it is lost.</returns>
    public Reading<T> Mend(StoreLock.Held held)
    {
        Side main = LoadFile();
        Side second = LoadJournal();
        Reading<T> reading = Better(main, second);
        if (reading is { Record: { } record, Damage: not null })
        {
            held.Begin();
            if (held.Number is null && main.Damage is null && versionOf(record) == (main.Record is null ? 0 : versionOf(main.Record)) + 1)
            {
                // Nothing was lost: whoever wrote the journal was killed before the file.
                reading = new Reading<T>(record, null);
            }
            else
            {
                KeepAside();
            }

            PutInPlace(DocumentFile.Prepare(file, second.Content!), second with { Damage = null });
        }
        else if (reading.Record is not null && (second.Content is null || !second.Content.AsSpan().SequenceEqual(main.Content)))
        {
            held.Begin();
            WriteJournal(main.Content!);
        }

        return reading;
    }

    /// <summary>Under the store lock: replaces the record. What is damaged beyond restoring is kept aside for a person to look at.</summary>
    /// <returns>Whether the file was replaced, too; if not, the journal alone tells.</returns>
    public bool Write(byte[] content, T record)
    {
        bool isSeen = _known is not null && _stamp is { } stamp && (!_isDoubtful || UnixCalls.StampOf(file) == stamp);
        if (!isSeen && Load(file).Damage is not null)
        {
            KeepAside();
        }

        string sibling = DocumentFile.Prepare(file, content);
        try
        {
            WriteJournal(content);
        }
        catch
        {
            // On a full disk every byte counts.
            DocumentFile.TryDelete(sibling);
            throw;
        }

        return PutInPlace(sibling, new Side(content, record, null));
    }

    /// <summary>Under the store lock: removes the record. The journal first, or a crash between the two would bring the record back.</summary>
    public void Delete()
    {
        DocumentFile.Delete(journal);
        _journal.Forget();
        DocumentFile.Delete(copy);
        DocumentFile.Delete(file);
        DocumentFile.TryDelete(file + DocumentFile.Spare);
        (_known, _stamp) = (null, null);
    }

    /// <summary>When a record that is lost was last written, in seconds of the common era that Unix counts: the same for every reader.</summary>
    public long LostAt()
    {
        // When both are gone, their directory was changed last when they went.
        string[] left = [.. new[] { file, journal }.Where(File.Exists)];
        DateTime at = left.Length > 0 ? left.Max(File.GetLastWriteTimeUtc) : Directory.GetLastWriteTimeUtc(Path.GetDirectoryName(journal)!);
        return Math.Max(1, new DateTimeOffset(at).ToUnixTimeSeconds());
    }

    private void WriteJournal(byte[] content)
    {
        if (_journal.Write(content) && File.Exists(copy))
        {
            DocumentFile.Delete(copy);
        }
    }

    private bool PutInPlace(string sibling, Side side)
    {
        _known = null;
        try
        {
            DocumentFile.PutInPlace(sibling, file);
            (_known, _stamp) = (side, UnixCalls.StampOf(file));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is durable already, so this is no failure.
            _stamp = null;
            return false;
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
            _known = null;
            return new Reading<T>(second.Record, main.Damage ?? (main.Content is null ? "it is missing." : $"it has version {versionOf(main.Record!)}, and its copy {versionOf(second.Record)}."));
        }

        _known = main.Record is null ? null : main;
        return new Reading<T>(main.Record, main.Record is not null ? null : main.Damage ?? second.Damage);
    }

    private Side LoadJournal() => _journal.TryRead(out string? damage) is { } content
        ? Parse(journal, content)
        : damage is not null ? new Side([], null, damage) : Load(copy);

    private Side LoadFile()
    {
        // Before the bytes: what changes in between is then noticed the next time. And kept only if they could be read.
        FileStamp? stamp = UnixCalls.StampOf(file);
        Side side = Load(file);
        _stamp = stamp;
        return side;
    }

    private Side Load(string path) => DocumentFile.TryRead(path) is { } content ? Parse(path, content) : new Side(null, null, null);

    private Side Parse(string path, byte[] content)
    {
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

/// <summary>What the two say. With a record, a damage was undone by the journal; without one, the record is lost, or never was when there is no damage.</summary>
internal sealed record Reading<T>(T? Record, string? Damage)
    where T : class;
