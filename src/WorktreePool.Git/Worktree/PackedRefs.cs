using System.Security.Cryptography;
using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>A repository's <c>packed-refs</c> (gitrepository-layout(5)), read and written without git. A byte is a character here: names need not be UTF-8.</summary>
internal sealed class PackedRefs(RepositoryLayout repository)
{
    /// <summary>How a saved file's name begins, beside packed-refs.</summary>
    public const string Saved = "packed-refs.worktree-pool-saved-";

    private string FilePath => Path.Combine(repository.CommonDirectory, "packed-refs");

    /// <summary>Its refs, by full name. A line that is none is left out, and so is a name that is no UTF-8.</summary>
    public IEnumerable<(string Name, string Id)> Read() =>
        Parse(Text()).Select(packed => (Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(packed.Name)), packed.Id)).Where(packed => RefStore.IsName(packed.Item1));

    /// <summary>The id of one ref; null when it is not there. Nothing else is parsed: with many refs that would cost more than the rest of a claim.</summary>
    /// <param name="name">Its full name.</param>
    public string? Find(string name)
    {
        ReadOnlySpan<byte> all = Bytes();
        int at = all.IndexOf(Encoding.UTF8.GetBytes($" {name}\n"));
        int line = at < 0 ? 0 : all[..at].LastIndexOf((byte)'\n') + 1;
        return at > line && Encoding.ASCII.GetString(all[line..at]) is var id && RefStore.IsId(id) ? id : null;
    }

    /// <summary>Whether it is not cut off in a line. Git reads nothing from one that is; it is cheap to ask.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public bool EndsWithALine()
    {
        if (!SafeFile.IsRealFile(FilePath))
        {
            return !SafeFile.Exists(FilePath);
        }

        using FileStream file = File.OpenRead(FilePath);
        return file.Length == 0 || (file.Seek(-1, SeekOrigin.End) >= 0 && file.ReadByte() == '\n');
    }

    /// <summary>
    /// Mends a file that git cannot read, in a repository that is somebody's: it is saved aside, and its whole lines are put back, so that a lost ref is
    /// in the saved file and all others work again. Without git's lock: whoever cut the file off may have left that, too.
    /// </summary>
    /// <returns>False when there is nothing to mend.</returns>
    public bool TryMendAside()
    {
        byte[] present = Bytes();
        byte[] mended = Encoding.Latin1.GetBytes(Readable(Encoding.Latin1.GetString(present)));
        if (mended.Length == present.Length)
        {
            return false;
        }

        SafeFile.Write(Path.Combine(repository.CommonDirectory, Saved + Convert.ToHexStringLower(SHA256.HashData(present))[..12]), present);
        SafeFile.Write(FilePath, mended);
        return true;
    }

    /// <summary>Removes what git cannot read, or cannot find because the file is not in order, from a repository of the pool's own.</summary>
    /// <returns>Whether there was anything to mend, and it could be.</returns>
    public bool TryMend()
    {
        if (SafeFile.Exists(FilePath) && !SafeFile.IsRealFile(FilePath))
        {
            TreeRemoval.Remove(FilePath);
            return true;
        }

        string present = Text();
        List<string> names = [.. Parse(present).Select(packed => packed.Name)];
        bool isSound = present == Readable(present) && names.SequenceEqual(names.Distinct().Order(StringComparer.Ordinal));
        return !isSound && TryAdd([]);
    }

    /// <summary>Whether a name in it is no UTF-8. Mostly all are ASCII, and it is not taken apart.</summary>
    public bool HasMisnamed => Bytes() is var all && !Ascii.IsValid(all) && Parse(Encoding.Latin1.GetString(all)).Any(packed => IsMisnamed(packed.Name));

    /// <summary>Gives refs whose names are no UTF-8 others; see <see cref="RefStore.MakeNamesPlain"/>.</summary>
    public void MakeNamesPlain()
    {
        List<(string Name, string Id)> all = [.. Parse(Text())], misnamed = [.. all.Where(packed => IsMisnamed(packed.Name))];
        if (misnamed.Count > 0)
        {
            TryWrite(all.Except(misnamed).Concat(misnamed.Select(packed => (RefStore.PlainName(Convert.ToHexStringLower(SHA256.HashData(Encoding.Latin1.GetBytes(packed.Name)))[..12]), packed.Id))));
        }
    }

    /// <summary>Adds refs, all at once.</summary>
    /// <returns>False when another git holds its lock.</returns>
    public bool TryAdd(IEnumerable<KeyValuePair<string, string>> refs)
    {
        IEnumerable<(string Name, string Id)> added = refs.Select(wanted => (Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(wanted.Key)), wanted.Value));
        return TryWrite(Parse(Text()).Concat(added));
    }

    private bool TryWrite(IEnumerable<(string Name, string Id)> all)
    {
        // Git orders names by their bytes.
        SortedDictionary<string, string> packed = new(StringComparer.Ordinal);
        foreach ((string name, string id) in all)
        {
            packed[name] = id;
        }

        // Without what tags stand for: git looks that up, and a later pack-refs writes it.
        return RefStore.TryWrite(FilePath, Encoding.Latin1.GetBytes("# pack-refs with: sorted \n" + string.Concat(packed.Select(line => $"{line.Value} {line.Key}\n"))));
    }

    private static bool IsMisnamed(string name) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(name)).Contains('\uFFFD', StringComparison.Ordinal);

    private byte[] Bytes() => SafeFile.IsRealFile(FilePath) ? File.ReadAllBytes(FilePath) : [];

    private string Text() => Encoding.Latin1.GetString(Bytes());

    private static IEnumerable<(string Name, string Id)> Parse(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space is 40 or 64 && RefStore.IsId(line[..space]) && RefStore.IsName(line[(space + 1)..]))
            {
                yield return (line[(space + 1)..], line[..space]);
            }
        }
    }

    /// <summary>The lines that git can read: at any other it ends. A header comes first, and what a tag stands for after its ref.</summary>
    private static string Readable(string text)
    {
        const string Header = "# pack-refs with:";
        var readable = new StringBuilder();
        bool afterRef = false;
        foreach (string line in text.Split('\n').SkipLast(1))
        {
            bool isRef = Parse(line).Any(), isPeeled = afterRef && line.Length is (41 or 65) && line[0] == '^' && RefStore.IsId(line[1..]);
            if (isRef || isPeeled || (readable.Length == 0 && line.StartsWith(Header, StringComparison.Ordinal)))
            {
                readable.Append(line).Append('\n');
            }

            afterRef = isRef;
        }

        return readable.ToString();
    }
}
