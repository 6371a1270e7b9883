namespace WorktreePool.Git.Worktree;

/// <summary>
/// The index of each worktree as the pool itself wrote and verified it, kept in the pool's directory. What a holder's git wrote into a slot's
/// own index proves nothing about the files: it may have been refreshed under a planted config, or forged. A file whose status is still the one
/// in the trusted index has the bytes the pool gave it.
/// </summary>
internal sealed class TrustedIndex(string poolDirectory)
{
    private const string Unstable = ".unstable";

    private readonly string _directory = Path.Combine(poolDirectory, "index");

    /// <summary>The trusted index of a worktree at a commit; null when there is none.</summary>
    /// <param name="key">The worktree's name in the pool.</param>
    /// <param name="commit">The commit it was verified at.</param>
    public string? Find(string key, string commit) => PathFor(key, commit) is var path && SafeFile.IsRealFile(path) ? path : null;

    /// <summary>The trusted index of a worktree at whatever commit; null when there is none.</summary>
    /// <param name="key">The worktree's name in the pool.</param>
    public string? FindAny(string key) => All(key).FirstOrDefault();

    /// <summary>
    /// One for git to read, at whatever commit; null when there is none that is whole. Git does not look at an index's checksum (read-cache.c, verify_hdr): what a power loss
    /// left of one it would take for the truth, or crash at.
    /// </summary>
    /// <param name="key">The worktree's name in the pool.</param>
    /// <param name="commit">The commit whose index comes first; null: none.</param>
    public string? FindWhole(string key, string? commit = null) => All(key).OrderByDescending(path => CommitOf(path) == commit).FirstOrDefault(IsWhole);

    /// <summary>The commit that a trusted index was verified at.</summary>
    /// <param name="path">From one of the above.</param>
    public static string CommitOf(string path) => path[(path.LastIndexOf('.') + 1)..];

    /// <summary>Keeps an index that git has just written for the pool, in place of the one before; not on the disk either, where the files are not yet.</summary>
    /// <param name="key">The worktree's name in the pool.</param>
    /// <param name="commit">The commit whose tree it is.</param>
    /// <param name="index">The index file.</param>
    /// <param name="unstable">Files that git calls changed although it has just written them, each with a hash of its bytes: their blobs are not what their attributes would make of them.</param>
    public void Keep(string key, string commit, string index, IReadOnlyDictionary<string, string>? unstable = null)
    {
        SetUnstable(key, unstable);
        CopyTo(index, PathFor(key, commit));
        DeleteOthers(key, commit);
    }

    /// <summary>
    /// Keeps an index that the pool itself has just written, in place of the one before. What a power loss leaves of it is no index, by its checksum:
    /// then the files are read, which costs more than to wait for the disk at each move only where power is lost at each move.
    /// </summary>
    /// <param name="key">The worktree's name in the pool.</param>
    /// <param name="commit">The commit whose tree it is.</param>
    /// <param name="index">What is in it.</param>
    /// <param name="written">The status of its file.</param>
    /// <returns>The status of the file here.</returns>
    public FileStamp Keep(string key, string commit, ReadOnlyMemory<byte> index, FileStamp written)
    {
        SetUnstable(key, null);
        string path = PathFor(key, commit);
        Put(path, temporary => Make(temporary, index), written.Modified);
        DeleteOthers(key, commit);
        return UnixFiles.Status(System.Text.Encoding.UTF8.GetBytes(path))?.Stamp ?? throw new IOException($"{path} vanished when it was written");
    }

    /// <summary>Forgets a worktree: its files must be read to know them.</summary>
    /// <param name="key">The worktree's name in the pool.</param>
    public void Forget(string key)
    {
        foreach (string path in All(key))
        {
            File.Delete(path);
            CrashPoint.Reached("trusted index forgotten");
        }
    }

    /// <summary>Forgets all worktrees.</summary>
    public void ForgetAll()
    {
        foreach (string path in Directory.Exists(_directory) ? Directory.EnumerateFiles(_directory) : [])
        {
            File.Delete(path);
            CrashPoint.Reached("trusted index forgotten");
        }
    }

    /// <summary>The files that git always calls changed, with the hash of the bytes that git wrote; none for most repositories.</summary>
    /// <param name="key">The worktree's name in the pool.</param>
    public IReadOnlyDictionary<string, string> ReadUnstable(string key) =>
        (SafeFile.TryRead(Path.Combine(_directory, key + Unstable)) ?? "").Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[1], parts => parts[0], StringComparer.Ordinal);

    /// <summary>Copies an index with its time, which tells git and us which entries are too young to be trusted.</summary>
    /// <param name="from">The index.</param>
    /// <param name="to">Where it shall be.</param>
    public static void CopyTo(string from, string to) => Put(to, temporary => Copy(from, temporary), File.GetLastWriteTimeUtc(from));

    private static bool IsWhole(string path) => SafeFile.TryReadBytes(path) is { } bytes && Checksum.IsRight(bytes, CommitOf(path).Length / 2);

    private static void Make(string temporary, ReadOnlyMemory<byte> index)
    {
        File.WriteAllBytes(temporary, index.Span);
        CrashPoint.Reached("trusted index copied");
    }

    private static void Copy(string from, string temporary)
    {
        File.Copy(from, temporary);
        CrashPoint.Reached("trusted index copied");
    }

    private static void Put(string path, Action<string> make, DateTime modified)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            make(temporary);
            File.SetLastWriteTimeUtc(temporary, modified);
            CrashPoint.Reached("trusted index written");
            File.Move(temporary, path, overwrite: true);
            CrashPoint.Reached("trusted index in place");
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private void SetUnstable(string key, IReadOnlyDictionary<string, string>? unstable)
    {
        Directory.CreateDirectory(_directory);
        CrashPoint.Reached("trusted index directory made");
        string list = Path.Combine(_directory, key + Unstable);
        if (unstable is { Count: > 0 })
        {
            SafeFile.Write(list, string.Concat(unstable.Select(file => $"{file.Value} {file.Key}\0")));
        }
        else
        {
            File.Delete(list);
            CrashPoint.Reached("list of unstable files deleted");
        }
    }

    private void DeleteOthers(string key, string commit)
    {
        string kept = PathFor(key, commit);
        foreach (string old in All(key).Where(old => old != kept))
        {
            File.Delete(old);
            CrashPoint.Reached("older trusted index deleted");
        }
    }

    private string PathFor(string key, string commit) => Path.Combine(_directory, $"{key}.{commit}");

    private string[] All(string key) => Directory.Exists(_directory)
        ? [.. Directory.EnumerateFiles(_directory, key + ".*").Where(path => Path.GetFileName(path)[(key.Length + 1)..] is { Length: 40 or 64 } commit && commit.All(char.IsAsciiHexDigitLower))]
        : [];
}
