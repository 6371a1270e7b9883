using System.Collections.Concurrent;
using LibGit2Sharp;

namespace WorktreePool.Git.LibGit2;

/// <summary>Reads a repository's objects through LibGit2Sharp. What an object is named by its id never changes, so it is read once.</summary>
/// <remarks>
/// libgit2 is told to read no config but the repository's own: that of the machine and the user may be another program's, and is not
/// needed to read objects. It runs no hook, filter program, or fsmonitor. It refuses a repository of another owner; that is an error here.
/// </remarks>
internal sealed class ObjectReader(string commonDirectory)
{
    private const int MostKept = 1024;

    private static readonly Lock Settings = new();
    private static bool _set;

    private readonly ConcurrentDictionary<string, byte[]> _trees = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _plain = new(StringComparer.Ordinal);

    /// <summary>The 20 bytes of a commit's tree; null when there is no such commit.</summary>
    /// <exception cref="LibGit2SharpException">The repository cannot be read.</exception>
    public byte[]? TreeOf(string commit)
    {
        if (_trees.TryGetValue(commit, out byte[]? known))
        {
            return known;
        }

        using Repository repository = Open(commonDirectory);
        if (repository.Lookup<Commit>(new ObjectId(commit)) is not { } found)
        {
            return null;
        }

        byte[] tree = found.Tree.Id.RawId;
        Keep(_trees, commit, tree);
        return tree;
    }

    /// <summary>The commit a branch stands at; null when there is no such branch, or it is damaged.</summary>
    /// <param name="reference">The full refname.</param>
    /// <exception cref="LibGit2SharpException">The repository cannot be read.</exception>
    public string? Resolve(string reference)
    {
        using Repository repository = Open(commonDirectory);
        return repository.Refs[reference]?.ResolveToDirectReference() is { } direct
            && repository.Lookup<GitObject>(direct.TargetIdentifier)?.Peel<Commit>() is { } commit ? commit.Sha : null;
    }

    /// <summary>
    /// Whether a <c>.gitattributes</c> leaves the bytes of files alone. <c>text</c> and <c>text=auto</c> do where nothing asks for
    /// other line ends than a line feed, as in every slot; filters, keywords, encodings, and explicit line ends do not.
    /// </summary>
    /// <exception cref="LibGit2SharpException">The repository cannot be read.</exception>
    public bool IsPlainAttributes(ReadOnlyMemory<byte> blob)
    {
        string id = Convert.ToHexStringLower(blob.Span);
        if (_plain.TryGetValue(id, out bool known))
        {
            return known;
        }

        using Repository repository = Open(commonDirectory);
        bool plain = repository.Lookup<Blob>(new ObjectId(id)) is { } found && IsPlainAttributes(found.GetContentText());
        Keep(_plain, id, plain);
        return plain;
    }

    public static bool IsPlainAttributes(string text) =>
        !text.Contains("eol", StringComparison.OrdinalIgnoreCase)
        && !text.Contains("filter", StringComparison.OrdinalIgnoreCase)
        && !text.Contains("ident", StringComparison.OrdinalIgnoreCase)
        && !text.Contains("encoding", StringComparison.OrdinalIgnoreCase)
        && !text.Contains("crlf", StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens a repository with settings that no user's or machine's config has a part in.</summary>
    /// <exception cref="LibGit2SharpException">It cannot be opened.</exception>
    public static Repository Open(string path, RepositoryOptions? options = null)
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

        return options is null ? new Repository(path) : new Repository(path, options);
    }

    private static void Keep<T>(ConcurrentDictionary<string, T> cache, string id, T value)
    {
        if (cache.Count >= MostKept)
        {
            cache.Clear();
        }

        cache.TryAdd(id, value);
    }
}
