using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// Remembers that a commit's objects were all there, by the status of the files that hold them: every pack with its index, and those single objects the commit
/// needs. As long as none of these has changed, nobody has to read the objects again.
/// </summary>
internal sealed class ObjectWitness(RepositoryLayout repository, string poolDirectory)
{
    private readonly string _directory = Path.Combine(poolDirectory, "objects");

    /// <summary>Whether the commit was seen whole and no file it relies on has changed since.</summary>
    public bool Holds(string commit) => Check(commit, _ => true);

    /// <summary>Whether the commit was seen whole and is still there itself: no pack has changed since, nor the file that holds it alone.</summary>
    public bool HoldsCommit(string commit)
    {
        byte[] alone = Encoding.UTF8.GetBytes($"/{commit[..2]}/{commit[2..]}");
        return Check(commit, line => line.File.EndsWith(alone) || !(line.File.Length > alone.Length && line.File[^alone.Length] == '/' && line.File[^(alone.Length - 3)] == '/'));
    }

    /// <summary>Whether what was remembered of some files is still so. A repository may have many thousand objects in files of their own.</summary>
    private bool Check(string commit, Asked isAsked)
    {
        ReadOnlySpan<byte> rest = SafeFile.TryReadBytes(PathFor(commit));
        if (!rest.EndsWith("end\n"u8))
        {
            return false;
        }

        for (rest = rest[..^4]; !rest.IsEmpty;)
        {
            int end = rest.IndexOf((byte)'\n');
            if (end < 0 || Line.Parse(rest[..end]) is not { IsWhole: true } line || (isAsked(line) && !line.IsStillSo()))
            {
                return false;
            }

            rest = rest[(end + 1)..];
        }

        return true;
    }

    /// <summary>Remembers that the commit is whole.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="objects">The ids of all its objects.</param>
    /// <exception cref="InvalidDataException">One of them is an empty file, as a crash leaves it.</exception>
    public void Remember(string commit, IReadOnlySet<string> objects)
    {
        List<string> lines = [];
        foreach (string store in Stores())
        {
            string packs = Path.Combine(store, "pack");
            IEnumerable<string> files = SafeFile.IsRealDirectory(packs) ? Directory.EnumerateFiles(packs).Where(IsRead) : [];
            foreach (string file in files.Concat(Loose(store).Where(pair => objects.Contains(pair.Id)).Select(pair => pair.File)))
            {
                if (new FileInfo(file).Length == 0)
                {
                    throw new InvalidDataException($"{file} is empty");
                }

                lines.Add(Line.Describe(file));
            }
        }

        Directory.CreateDirectory(_directory);
        CrashPoint.Reached("witness directory made");
        foreach (string old in Directory.EnumerateFiles(_directory).Order(new ByAge()).SkipLast(Kept))
        {
            File.Delete(old);
            CrashPoint.Reached("old witness deleted");
        }

        SafeFile.Write(PathFor(commit), string.Concat(lines) + "end\n");
    }

    /// <summary>So many commits are remembered besides the new one: claims at different bases must not push each other out.</summary>
    private const int Kept = 8;

    /// <summary>The single objects in an object directory; not what a git at work is about to make one of.</summary>
    public static IEnumerable<(string Id, string File)> Loose(string store)
    {
        if (!SafeFile.IsRealDirectory(store))
        {
            yield break;
        }

        foreach (string fan in Directory.EnumerateDirectories(store, "??").Where(fan => Path.GetFileName(fan).All(char.IsAsciiHexDigitLower)))
        {
            foreach (string file in Directory.EnumerateFiles(fan).Where(file => Path.GetFileName(file).All(char.IsAsciiHexDigitLower)))
            {
                yield return (Path.GetFileName(fan) + Path.GetFileName(file), file);
            }
        }
    }

    /// <summary>What git opens there to find an object; the rest only helps it to be quick.</summary>
    private static bool IsRead(string file) => Path.GetExtension(file) is ".pack" or ".idx" || Path.GetFileName(file) == "multi-pack-index";

    /// <summary>The repository's object directory, and those it borrows from; see gitrepository-layout(5), <c>objects/info/alternates</c>.</summary>
    private IEnumerable<string> Stores()
    {
        yield return repository.Objects;
        string alternates = SafeFile.TryRead(Path.Combine(repository.Objects, "info", "alternates")) ?? "";
        foreach (string line in alternates.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            yield return Path.GetFullPath(line, repository.Objects);
        }
    }

    private string PathFor(string commit) => Path.Combine(_directory, commit);

    private sealed class ByAge : IComparer<string>
    {
        public int Compare(string? x, string? y) => File.GetLastWriteTimeUtc(x!).CompareTo(File.GetLastWriteTimeUtc(y!));
    }

    private delegate bool Asked(Line line);

    /// <summary>What is remembered of one file: its path, its length and when it was written.</summary>
    private readonly ref struct Line
    {
        public ReadOnlySpan<byte> File { get; private init; }

        /// <summary>Length and time, as they are written.</summary>
        private ReadOnlySpan<byte> Rest { get; init; }

        public bool IsWhole => !File.IsEmpty;

        public static Line Parse(ReadOnlySpan<byte> line) =>
            line.IndexOf((byte)'\t') is > 0 and var tab ? new Line { File = line[..tab], Rest = line[(tab + 1)..] } : default;

        public static string Describe(string file) => new FileInfo(file) is var info
            ? string.Create(CultureInfo.InvariantCulture, $"{file}\t{info.Length}\t{info.LastWriteTimeUtc.Ticks}\n")
            : "";

        public bool IsStillSo()
        {
            (long Length, long Ticks)? now = null;
            if (!UnixFiles.IsSupported)
            {
                now = new FileInfo(Encoding.UTF8.GetString(File)) is { Exists: true } info ? (info.Length, info.LastWriteTimeUtc.Ticks) : null;
            }
            else if (UnixFiles.Status(File) is { } status)
            {
                now = (status.Size, DateTime.UnixEpoch.Ticks + (status.Stamp.ModifiedSeconds * TimeSpan.TicksPerSecond) + (status.Stamp.ModifiedNanoseconds / TimeSpan.NanosecondsPerTick));
            }

            return now is { } found
                && Utf8Parser.TryParse(Rest, out long length, out int used) && length == found.Length && Rest.Length > used && Rest[used] == '\t'
                && Utf8Parser.TryParse(Rest[(used + 1)..], out long ticks, out int all) && ticks == found.Ticks && used + 1 + all == Rest.Length;
        }
    }
}
