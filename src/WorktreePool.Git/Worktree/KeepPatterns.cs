using System.IO.Enumeration;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// The untracked paths a clean leaves alone. Anchored at the slot's root; "*" and "?" match within one part; a trailing slash means
/// directories only. A link is never kept: it could lead out of the slot.
/// </summary>
internal sealed class KeepPatterns
{
    /// <summary>Keeps nothing.</summary>
    public static readonly KeepPatterns None = new([]);

    private readonly List<(string[] Parts, bool DirectoryOnly)> _patterns;

    public KeepPatterns(IEnumerable<string> patterns) =>
        _patterns = [.. patterns.Select(pattern => (pattern.Trim('/').Split('/'), pattern.EndsWith('/')))];

    /// <summary>What a clean leaves alone in a pool's slots: what is to be kept, and what set-up steps make, which they remove themselves when it is stale.</summary>
    public static KeepPatterns Of(WorktreePoolOptions options) => new([.. options.Keep, .. MadeBySteps(options)]);

    /// <summary>The patterns of what set-up steps make: never work, so never rescued.</summary>
    public static IReadOnlyList<string> MadeBySteps(WorktreePoolOptions options) => [.. options.SetUp.SelectMany(step => step.Makes)];

    /// <summary>Whether this untracked path is kept, with all below it.</summary>
    public bool Keeps(string path, bool isDirectory)
    {
        string[] parts = path.Split('/');
        return _patterns.Any(pattern => parts.Length == pattern.Parts.Length && (isDirectory || !pattern.DirectoryOnly) && Matches(pattern.Parts, parts));
    }

    /// <summary>Whether something below this untracked directory could be kept.</summary>
    public bool MayKeepBelow(string directory)
    {
        string[] parts = directory.Split('/');
        return _patterns.Any(pattern => parts.Length < pattern.Parts.Length && Matches(pattern.Parts, parts));
    }

    private static bool Matches(string[] pattern, string[] parts) =>
        parts.Zip(pattern).All(pair => FileSystemName.MatchesSimpleExpression(pair.Second, pair.First, ignoreCase: false));
}
