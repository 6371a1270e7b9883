using System.IO.Enumeration;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.SetUp;

/// <summary>Finds what lies at patterns of <see cref="KeepPatterns"/>' form. Never through a link: what matches may be one, what leads there may not.</summary>
internal static class PatternMatches
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };

    /// <summary>Paths from the root, with forward slashes, each once, in ordinal order.</summary>
    public static IReadOnlyList<string> Find(string root, IEnumerable<string> patterns)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        foreach (string pattern in patterns)
        {
            Visit(root, "", pattern.Trim('/').Split('/'), 0, pattern.EndsWith('/'), found);
        }

        return [.. found];
    }

    private static void Visit(string root, string prefix, string[] parts, int at, bool directoryOnly, SortedSet<string> found)
    {
        foreach (string name in Names(Path.Combine(root, prefix), parts[at]))
        {
            string path = prefix.Length == 0 ? name : $"{prefix}/{name}";
            string full = Path.Combine(root, path);
            if (path == ".git")
            {
                continue;
            }

            if (at == parts.Length - 1)
            {
                if (!directoryOnly || SafeFile.IsRealDirectory(full))
                {
                    found.Add(path);
                }
            }
            else if (SafeFile.IsRealDirectory(full))
            {
                Visit(root, path, parts, at + 1, directoryOnly, found);
            }
        }
    }

    private static List<string> Names(string directory, string part)
    {
        if (part.AsSpan().IndexOfAny('*', '?') < 0)
        {
            return SafeFile.Exists(Path.Combine(directory, part)) ? [part] : [];
        }

        return [.. Directory.EnumerateFileSystemEntries(directory, "*", Everything).Select(path => Path.GetFileName(path)!)
            .Where(name => FileSystemName.MatchesSimpleExpression(part, name, ignoreCase: false))];
    }
}
