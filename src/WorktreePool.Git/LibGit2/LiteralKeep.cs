using System.Buffers;
using System.Text;

namespace WorktreePool.Git.LibGit2;

/// <summary>Keep patterns that are plain paths. Patterns with wildcards mean what git says, and are left to git.</summary>
internal sealed class LiteralKeep
{
    private static readonly SearchValues<char> Special = SearchValues.Create("*?[\\!#");

    private readonly (byte[] Path, bool DirectoryOnly)[] _paths;

    private LiteralKeep((byte[] Path, bool DirectoryOnly)[] paths) => _paths = paths;

    /// <summary>Null when a pattern is more than a plain path.</summary>
    public static LiteralKeep? From(IEnumerable<string> patterns)
    {
        var paths = new List<(byte[], bool)>();
        foreach (string pattern in patterns)
        {
            string path = pattern.Trim('/');
            if (!pattern.StartsWith('/') || path.Length == 0 || pattern.AsSpan().ContainsAny(Special) || path.Contains("//", StringComparison.Ordinal) || path != path.Trim())
            {
                return null;
            }

            paths.Add((Encoding.UTF8.GetBytes(path), pattern.EndsWith('/')));
        }

        return new LiteralKeep([.. paths]);
    }

    /// <summary>Whether a path is kept with all that is in it.</summary>
    public bool Keeps(byte[] path, bool isDirectory) =>
        Array.Exists(_paths, kept => (isDirectory || !kept.DirectoryOnly) && kept.Path.AsSpan().SequenceEqual(path));

    /// <summary>Whether something in a directory may be kept.</summary>
    public bool MayBeBelow(byte[] path) =>
        Array.Exists(_paths, kept => kept.Path.Length > path.Length && kept.Path[path.Length] == (byte)'/' && kept.Path.AsSpan().StartsWith(path));
}
