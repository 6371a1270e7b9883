using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// The refs of an isolated repository as the remote gave them: what they are put back to. And the pool's own, the rescues, which must not go
/// with a packed-refs that somebody empties; and branches that a person had restored from one, which are no strays.
/// </summary>
internal sealed class KnownRefs(string poolDirectory)
{
    /// <summary>Its place in the pool's corner of the repository, while that is made.</summary>
    public const string FileName = "known-refs";

    private Reading? _reading;

    private string FetchedPath => Path.Combine(poolDirectory, FileName);

    private string OwnPath => Path.Combine(poolDirectory, "own-refs");

    /// <summary>What the remote gave, by full name.</summary>
    public IReadOnlyDictionary<string, string> Fetched
    {
        get
        {
            object? version = Version();
            if (_reading is { } reading && Equals(reading.Version, version))
            {
                return reading.Refs;
            }

            // Whoever else reads or writes meanwhile: each has what was there at some moment.
            reading = new Reading(version, Parse(SafeFile.TryRead(FetchedPath) ?? ""));
            _reading = reading;
            return reading.Refs;
        }
    }

    /// <summary>Whether it has been lost what the remote gave: then a ref that is not known need not be a stray.</summary>
    public bool IsLost => !SafeFile.IsRealFile(FetchedPath);

    /// <summary>As lines for the file.</summary>
    public static string Format(IEnumerable<KeyValuePair<string, string>> refs) => string.Concat(refs.Select(known => $"{known.Value}\t{known.Key}\n"));

    /// <summary>Takes the remote's refs for known.</summary>
    public void Keep(IEnumerable<KeyValuePair<string, string>> refs) => KeepText(Format(refs));

    /// <summary>The same, with what <see cref="Format"/> made.</summary>
    public void KeepText(string refs)
    {
        SafeFile.Write(FetchedPath, refs);
        _reading = null;
    }

    /// <summary>Takes some of the remote's refs for known as well. Not where the others are lost: these would stand for all.</summary>
    public void Learn(IEnumerable<KeyValuePair<string, string>> refs)
    {
        Dictionary<string, string> learned = new(Fetched, StringComparer.Ordinal);
        foreach ((string name, string value) in refs)
        {
            learned[name] = value;
        }

        if (!IsLost && !learned.SequenceEqual(Fetched))
        {
            Keep(learned);
        }
    }

    /// <summary>The pool's own refs, by full name.</summary>
    public IReadOnlyDictionary<string, string> Own() => SafeFile.IsRealDirectory(OwnPath)
        ? Directory.EnumerateFiles(OwnPath).Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal))
            .Select(file => KeyValuePair.Create(Uri.UnescapeDataString(Path.GetFileName(file)), SafeFile.TryRead(file)?.Trim() ?? ""))
            .Where(own => own.Value.Length > 0).ToDictionary()
        : new Dictionary<string, string>();

    /// <summary>Takes a ref for the pool's own.</summary>
    public void Add(string name, string commit)
    {
        Directory.CreateDirectory(OwnPath);
        CrashPoint.Reached("directory of own refs made");
        SafeFile.Write(OwnFile(name), commit + "\n");
    }

    /// <summary>It is the pool's own no more.</summary>
    public void Remove(string name) => TreeRemoval.Remove(OwnFile(name));

    /// <summary>Another file is another version, however quickly it came.</summary>
    private object? Version() => UnixFiles.IsSupported ? UnixFiles.Status(System.Text.Encoding.UTF8.GetBytes(FetchedPath))?.Stamp : File.GetLastWriteTimeUtc(FetchedPath);

    private sealed record Reading(object? Version, IReadOnlyDictionary<string, string> Refs);

    private string OwnFile(string name) => Path.Combine(OwnPath, Uri.EscapeDataString(name));

    private static Dictionary<string, string> Parse(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[1], parts => parts[0]);
}
