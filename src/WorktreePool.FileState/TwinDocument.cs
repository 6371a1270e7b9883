using System.Text.Json;

namespace WorktreePool.FileState;

/// <summary>
/// A record's document, kept twice: the file that people read, and a journal in another directory. A change is durable once it is in the journal; the
/// file is then written over and reaches the disk when the system writes it. What a disk loses of one is restored from the other: the later version counts, and of
/// one version the journal, whose hash proves that it is whole.
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

    /// <summary>The file as this process has read or written it last.</summary>
    private volatile Sight? _sight;

    /// <summary>Whether it may say something else by now.</summary>
    private bool _isDoubtful = true;

    /// <summary>Without a lock: the file; and its journal when the file is not what this process has seen already, or may lag behind.</summary>
    /// <param name="isSettled">Whether no writer is at work, nor died at it.</param>
    public Reading<T> Read(bool isSettled)
    {
        Sight main = LoadFile();
        return isSettled && main.Counts ? new Reading<T>(main.Side.Record, null) : Better(main, LoadJournal());
    }

    /// <summary>While a writer is at work: the journal alone, which has a whole version before a change and after it.</summary>
    public Reading<T> ReadAtWork()
    {
        Side second = LoadJournal();
        bool isOlder = second.Record is { } record && _sight?.Side.Record is { } known && versionOf(record) < versionOf(known);
        return isOlder ? new Reading<T>(null, "its journal has an older version.") : new Reading<T>(second.Record, second.Damage);
    }

    /// <summary>
    /// Whether the file still says what it did when it was read or written last, and that is a record. Others may have read it since that record was told, and told nobody yet. Not for
    /// two threads at once.
    /// </summary>
    /// <param name="record">The record; null: none.</param>
    public bool IsStill(T? record)
    {
        if (_isDoubtful && _sight is { } sight)
        {
            // Before the look: what touches it from now on is told of later.
            _isDoubtful = false;
            bool isSame = false;
            try
            {
                isSame = Says(sight);
            }
            finally
            {
                _isDoubtful |= !isSame;
            }
        }

        return !_isDoubtful && _sight is { } last && Equals(last.Side.Record, record);
    }

    /// <summary>The file is as this process has just written it, whatever touches were told until now.</summary>
    public void Believe() => _isDoubtful = false;

    /// <summary>The file may have been touched, so it must be looked at.</summary>
    public void Touch() => _isDoubtful = true;

    /// <summary>Another process may have written the journal.</summary>
    public void ForgetJournal() => _journal.Forget();

    /// <summary>Under the store lock: reads both, and makes them the same.</summary>
    /// <param name="held">The lock.</param>
    /// <returns>The record; and why it had to be restored from the journal, or why it is lost.</returns>
    public Reading<T> Mend(StoreLock.Held held)
    {
        if (held.Number is null)
        {
            // Whoever died at work had perhaps not yet brought to the disk what others take for being there.
            _journal.Secure();
        }

        Sight sight = LoadFile();
        Side main = sight.Side;
        Side second = LoadJournal();
        Reading<T> reading = Better(sight, second);
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

            PutInPlace(second with { Damage = null });
        }
        else if (reading.Record is not null && !IsSame(main.Content, second.Content))
        {
            held.Begin();
            WriteJournal(main.Content!, isSure: false, later: null);

            // Others are told of files that are written, and not of journals.
            PutInPlace(main);
        }

        return reading;
    }

    /// <summary>Under the store lock: replaces the record. What is damaged beyond restoring is kept aside for a person to look at.</summary>
    /// <param name="content">The record's bytes.</param>
    /// <param name="record">The record.</param>
    /// <param name="isSure">Whether the version before is known to be on the disk.</param>
    /// <param name="later">Is given what brings this one to the disk; null: it is there when this returns.</param>
    /// <returns>Whether the file was written, too; if not, the journal alone tells.</returns>
    public bool Write(byte[] content, T record, bool isSure, Action<Action>? later)
    {
        if ((_isDoubtful || _sight is not { Counts: true }) && Load(file).Damage is not null)
        {
            KeepAside();
        }

        WriteJournal(content, isSure, later);
        return PutInPlace(new Side(content, record, null));
    }

    /// <summary>Under the store lock: removes the record. The journal first, or a crash between the two would bring the record back.</summary>
    public void Delete()
    {
        DocumentFile.Delete(journal);
        _journal.Forget();
        DocumentFile.Delete(copy);
        DocumentFile.Delete(file);
        _sight = null;
    }

    /// <summary>When a record that is lost was last written, in seconds of the common era that Unix counts: the same for every reader.</summary>
    public long LostAt()
    {
        // When both are gone, their directory was changed last when they went.
        string[] left = [.. new[] { file, journal }.Where(File.Exists)];
        DateTime at = left.Length > 0 ? left.Max(File.GetLastWriteTimeUtc) : Directory.GetLastWriteTimeUtc(Path.GetDirectoryName(journal)!);
        return Math.Max(1, new DateTimeOffset(at).ToUnixTimeSeconds());
    }

    private void WriteJournal(byte[] content, bool isSure, Action<Action>? later)
    {
        if (_journal.Write(content, isSure, later) && File.Exists(copy))
        {
            DocumentFile.Delete(copy);
        }
    }

    private bool PutInPlace(Side side)
    {
        _sight = null;
        try
        {
            ReadableFile.Write(file, side.Content!);
            _sight = new Sight(side, Counts: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is durable already, so this is no failure.
            return false;
        }
    }

    private bool Says(Sight sight) => IsSame(sight.Side.Content, ReadableFile.TryRead(file));

    private void KeepAside()
    {
        if (File.Exists(file))
        {
            File.Move(file, file + DocumentFile.Damaged, overwrite: true);
            CrashPoint.Reached("damaged state file kept aside");
        }
    }

    private Reading<T> Better(Sight sight, Side second)
    {
        Side main = sight.Side;
        if (second.Record is { } copied && (main.Record is not { } own || versionOf(copied) > versionOf(own) || (versionOf(copied) == versionOf(own) && !IsSame(main.Content, second.Content))))
        {
            _sight = sight with { Counts = false };
            return new Reading<T>(copied, main.Damage ?? (main.Record is null ? "it is missing." : $"it has version {versionOf(main.Record)}, and its copy {versionOf(copied)}{(versionOf(main.Record) == versionOf(copied) ? " with another content" : "")}."));
        }

        _sight = sight with { Counts = main.Record is not null };
        return new Reading<T>(main.Record, main.Record is not null ? null : main.Damage ?? second.Damage);
    }

    private Side LoadJournal() => _journal.TryRead(out string? damage) is { } content
        ? Parse(journal, content)
        : damage is not null ? new Side([], null, damage) : Load(copy);

    /// <summary>
    /// The file as it is now. It counts if it is the one that counted before, or a later one: its journal is no later then. An earlier one may have been put back by hand.
    /// </summary>
    private Sight LoadFile()
    {
        Side side = Load(file);
        var sight = new Sight(side, Counts: _sight is { Counts: true } known && (known.Side == side || (side.Record is not null && versionOf(side.Record) > versionOf(known.Side.Record!))));
        if (sight.Counts)
        {
            _sight = sight;
        }

        return sight;
    }

    private static bool IsSame(byte[]? one, byte[]? other) => one is null == other is null && one.AsSpan().SequenceEqual(other);

    private Side Load(string path) => ReadableFile.TryRead(path) is { } content ? Parse(path, content) : new Side(null, null, null);

    private Side Parse(string path, byte[] content)
    {
        if (_sight is { Side: { Content: { } known, Damage: null } side } && known.AsSpan().SequenceEqual(content))
        {
            return side;
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

    /// <summary>The file as it was at one moment.</summary>
    /// <param name="Side">What it said.</param>
    /// <param name="Counts">Whether that was the record: its journal had no later one.</param>
    private sealed record Sight(Side Side, bool Counts);
}

/// <summary>What the two say. With a record, a damage was undone by the journal; without one, the record is lost, or never was when there is no damage.</summary>
internal sealed record Reading<T>(T? Record, string? Damage)
    where T : class;
