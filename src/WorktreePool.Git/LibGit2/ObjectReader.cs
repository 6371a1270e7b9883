using LibGit2Sharp;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>Reads refs and objects of a repository through LibGit2Sharp.</summary>
/// <remarks>
/// libgit2 is told, for the whole process, to read no config but the repository's own: that of the machine and the user may be written
/// by somebody else. It runs no hook, filter program, or fsmonitor. It refuses a repository of another owner; that is an error here.
/// </remarks>
internal sealed class ObjectReader : IDisposable
{
    /// <summary>As git has it; see refs.c, SYMREF_MAXDEPTH.</summary>
    private const int DeepestSymbolic = 5;

    private static readonly Lock Settings = new();
    private static bool _set;

    private ObjectReader(Repository repository) => Repository = repository;

    /// <summary>The repository, open until this is disposed.</summary>
    public Repository Repository { get; }

    /// <summary>Opens a repository; costs about a fifth of a millisecond.</summary>
    /// <exception cref="LibGit2SharpException">It cannot be opened: its config is damaged, or asks for something libgit2 does not know.</exception>
    public static ObjectReader Open(string commonDirectory)
    {
        lock (Settings)
        {
            if (!_set)
            {
                foreach (ConfigurationLevel level in new[] { ConfigurationLevel.ProgramData, ConfigurationLevel.System, ConfigurationLevel.Xdg, ConfigurationLevel.Global })
                {
                    GlobalSettings.SetConfigSearchPaths(level, "/dev/null");
                }

                _set = true;
            }
        }

        Pipes.SetAside(new RepositoryLayout(commonDirectory));
        return new ObjectReader(new Repository(commonDirectory));
    }

    /// <summary>Opens a repository that this process has open, for another thread: an open one is for one thread at a time.</summary>
    public static ObjectReader OpenAgain(string path) => new(new Repository(path));

    public void Dispose() => Repository.Dispose();

    /// <summary>An extension of the repository's format that changes what is on disk; null when there is none.</summary>
    public string? Extension =>
        Repository.Config.FirstOrDefault(entry => entry.Key.StartsWith("extensions.", StringComparison.OrdinalIgnoreCase)
            && !entry.Key.Equals("extensions.worktreeconfig", StringComparison.OrdinalIgnoreCase)
            && !entry.Value.Equals("sha1", StringComparison.OrdinalIgnoreCase))?.Key;

    /// <summary>The tree of a commit; null when there is no such commit.</summary>
    public Tree? TreeOf(string commit) => Repository.Lookup<Commit>(new ObjectId(commit))?.Tree;

    /// <summary>The commit a ref or a full id means; null when there is none, or it is damaged.</summary>
    public string? Resolve(string reference)
    {
        try
        {
            GitObject? found = ObjectId.TryParse(reference, out ObjectId? id) && reference.Length == 40
                ? Repository.Lookup(id)
                : Follow(reference) is { } direct ? Repository.Refs[direct]?.ResolveToDirectReference()?.Target : null;
            return found?.Peel<Commit>()?.Sha;
        }
        catch (LibGit2SharpException)
        {
            return null;
        }
    }

    /// <summary>
    /// The ref that a ref leads to at last; null when it leads nowhere. LibGit2Sharp follows symbolic refs without an end: one that leads back to
    /// itself would overflow the stack and take the whole process along.
    /// </summary>
    private string? Follow(string reference)
    {
        for (int depth = 0; depth <= DeepestSymbolic; depth++)
        {
            if (SymbolicTarget(Repository.Info.Path, reference) is not { } target)
            {
                return reference;
            }

            reference = target;
        }

        return null;
    }

    /// <summary>What a symbolic ref names; null for any other. They are never packed.</summary>
    public static string? SymbolicTarget(string commonDirectory, string reference) =>
        SafeFile.TryRead(Path.Combine(commonDirectory, reference)) is { } text && text.StartsWith("ref:", StringComparison.Ordinal) ? text[4..].Trim() : null;

    /// <summary>Whether a <c>.gitattributes</c> leaves the bytes of files alone; see <see cref="PlainBytes"/>.</summary>
    public bool IsPlainAttributes(ReadOnlyMemory<byte> blob) =>
        Repository.Lookup<Blob>(new ObjectId(blob.ToArray())) is { } found && PlainBytes.InAttributes(found.GetContentText());
}

/// <summary>A repository's objects, opened only when they are asked for: a slot that nobody touched is probed without.</summary>
/// <param name="open">Opens the repository.</param>
internal sealed class LazyObjects(Func<ObjectReader> open) : IDisposable
{
    private ObjectReader? _objects;

    public LazyObjects(string commonDirectory)
        : this(() => Open(commonDirectory))
    {
    }

    /// <summary>The objects.</summary>
    /// <exception cref="IOException">The repository is of a kind that is not known here.</exception>
    /// <exception cref="LibGit2SharpException">It cannot be opened.</exception>
    public ObjectReader Value => _objects ??= open();

    public void Dispose() => _objects?.Dispose();

    private static ObjectReader Open(string commonDirectory)
    {
        ObjectReader objects = ObjectReader.Open(commonDirectory);
        if (objects.Extension is not { } extension)
        {
            return objects;
        }

        objects.Dispose();
        throw new IOException($"the repository uses {extension}");
    }
}
