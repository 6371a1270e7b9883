using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// A repository's refs as files, loose and packed; see gitrepository-layout(5). Read and written without git: no config takes part, a damaged ref
/// hides no other, and a ref can be put back whose objects are still to be fetched. Writing keeps git's own protocol, a lock file that is renamed.
/// </summary>
internal sealed class RefStore(RepositoryLayout repository)
{
    private const string SymbolicPrefix = "ref: ";

    /// <summary>Those that are packed.</summary>
    public PackedRefs Packed { get; } = new(repository);

    /// <summary>What one ref holds; null when it is not there, or is none. Costs no more than its own file, or a search in packed-refs.</summary>
    /// <param name="name">Its full name.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public string? TryRead(string name)
    {
        if (!IsName(name))
        {
            return null;
        }

        string loose = Path.Combine(repository.CommonDirectory, name);
        return SafeFile.Exists(loose) && !IsRealDirectory(loose) ? ReadLoose(loose) : Packed.Find(name);
    }

    /// <summary>Full name to commit id, or to <c>ref: </c> and a name. What is no ref is left out.</summary>
    public SortedDictionary<string, string> Read()
    {
        SortedDictionary<string, string> refs = new(StringComparer.Ordinal);
        foreach ((string name, string id) in Packed.Read())
        {
            refs[name] = id;
        }

        foreach (string file in LooseFiles())
        {
            if (ReadLoose(file) is { } value)
            {
                refs[Name(file)] = value;
            }
        }

        return refs;
    }

    /// <summary>The loose files that are no refs: damaged, or links. Neither lock files are among them, nor what has only a bad name; see <see cref="MakeNamesPlain"/>.</summary>
    public List<string> FindBroken() => [.. Entries().Where(entry => !IsLock(entry) && !IsRealDirectory(entry) && !IsMisnamed(entry) && ReadLoose(entry) is null)];

    /// <summary>Whether there is anything for <see cref="MakeNamesPlain"/> to do.</summary>
    public bool HasMisnamed => Packed.HasMisnamed || Entries().Any(entry => !IsRealDirectory(entry) && IsMisnamed(entry));

    /// <summary>
    /// Gives every ref whose name is no UTF-8, or none that git takes, another one, by which it can be read: it may be all that keeps somebody's commits.
    /// Whoever is on such a branch is then on none.
    /// </summary>
    public void MakeNamesPlain()
    {
        Packed.MakeNamesPlain();
        var pending = new Stack<string>([Path.Combine(repository.CommonDirectory, "refs")]);
        while (pending.TryPop(out string? directory))
        {
            byte[] above = Encoding.UTF8.GetBytes(directory + "/");
            foreach (byte[] name in UnixFiles.IsSupported && IsRealDirectory(directory) ? UnixFiles.Names(above) : [])
            {
                string path = Path.Combine(directory, UnixFiles.Text(name));
                if (!Encoding.UTF8.GetBytes(UnixFiles.Text(name)).AsSpan().SequenceEqual(name) || (!IsRealDirectory(path) && IsMisnamed(path)))
                {
                    path = Path.Combine(repository.CommonDirectory, PlainName(Guid.NewGuid().ToString("N")));
                    UnixFiles.Move([.. above, .. name], Encoding.UTF8.GetBytes(path));
                    CrashPoint.Reached("ref given a plain name");
                }

                if (IsRealDirectory(path))
                {
                    pending.Push(path);
                }
            }
        }
    }

    /// <summary>The full name of a ref that had one which nobody can say.</summary>
    internal static string PlainName(string which) => $"refs/heads/misnamed-{which}";

    /// <summary>The lock files of loose refs.</summary>
    public List<string> FindLocks() => [.. Entries().Where(IsLock)];

    /// <summary>Sets a ref, whatever it is now.</summary>
    /// <returns>False when another git holds its lock, or a ref stands in its way whose name goes on where this one ends.</returns>
    public bool TrySet(string name, string value)
    {
        string path = Path.Combine(repository.CommonDirectory, name);
        if (SafeFile.IsRealDirectory(path) && Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Any())
        {
            return false;
        }

        for (string parent = Path.GetDirectoryName(path)!; parent.Length > repository.CommonDirectory.Length; parent = Path.GetDirectoryName(parent)!)
        {
            if (SafeFile.Exists(parent) && !SafeFile.IsRealDirectory(parent))
            {
                return false;
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        CrashPoint.Reached("directory of refs made");
        if (SafeFile.IsRealDirectory(path))
        {
            TreeRemoval.Remove(path);
        }

        return TryWrite(path, Encoding.UTF8.GetBytes(value + "\n"));
    }

    /// <summary>Writes as git does, a lock file that is renamed.</summary>
    /// <returns>False when another git holds the lock.</returns>
    public static bool TryWrite(string path, byte[] content)
    {
        string locked = path + ".lock";
        try
        {
            using (var stream = new FileStream(locked, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
                CrashPoint.Reached("ref written");
            }
        }
        catch (IOException) when (SafeFile.Exists(locked))
        {
            return false;
        }

        try
        {
            File.Move(locked, path, overwrite: true);
            CrashPoint.Reached("ref in place");
            return true;
        }
        catch (FileNotFoundException)
        {
            // Another process of the pool took the lock for one that was left behind.
            return false;
        }
    }

    private string? ReadLoose(string file)
    {
        if (SafeFile.TryRead(file)?.TrimEnd() is not { } text || !IsName(Name(file)))
        {
            return null;
        }

        return IsId(text) || (text.StartsWith(SymbolicPrefix, StringComparison.Ordinal) && IsName(text[SymbolicPrefix.Length..].Trim())) ? text : null;
    }

    private bool IsMisnamed(string file) => file.Contains('\uFFFD', StringComparison.Ordinal) || (!IsName(Name(file)) && SafeFile.TryRead(file)?.TrimEnd() is { } text && IsId(text));

    private IEnumerable<string> LooseFiles() => Entries().Where(entry => !IsLock(entry) && !IsRealDirectory(entry));

    private IEnumerable<string> Entries()
    {
        var pending = new Stack<string>([Path.Combine(repository.CommonDirectory, "refs")]);
        while (pending.TryPop(out string? directory))
        {
            foreach (string entry in IsRealDirectory(directory) ? Directory.EnumerateFileSystemEntries(directory).ToList() : [])
            {
                yield return entry;
                if (IsRealDirectory(entry))
                {
                    pending.Push(entry);
                }
            }
        }
    }

    private string Name(string file) => Path.GetRelativePath(repository.CommonDirectory, file).Replace('\\', '/');

    private static bool IsRealDirectory(string path) => SafeFile.IsRealDirectory(path);

    private static bool IsLock(string path) => path.EndsWith(".lock", StringComparison.Ordinal);

    /// <summary>Whether a text is the id of an object.</summary>
    public static bool IsId(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigitLower) && text.AsSpan().IndexOfAnyExcept('0') >= 0;

    /// <summary>The rules of git-check-ref-format(1) that a planted file can break.</summary>
    public static bool IsName(string name) => name.StartsWith("refs/", StringComparison.Ordinal) && name.Length > 5
        && !name.Any(c => c is < ' ' or ' ' or '~' or '^' or ':' or '?' or '*' or '[' or '\\' or '\x7f' or '\uFFFD')
        && !name.Contains("..", StringComparison.Ordinal) && !name.Contains("@{", StringComparison.Ordinal)
        && name.Split('/').All(part => part.Length > 0 && part[0] != '.' && !part.EndsWith(".lock", StringComparison.Ordinal)) && name[^1] != '.';
}
