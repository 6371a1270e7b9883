using System.Text;
using LibGit2Sharp;

namespace WorktreePool.Git.LibGit2;

/// <summary>A commit's tree as the entries of an index.</summary>
internal static class TargetTree
{
    /// <summary>Reads it, in the order of git.</summary>
    /// <exception cref="GitBackendException">The tree holds what this backend cannot check out; the message says what.</exception>
    public static List<IndexEntry> Read(Tree tree, CancellationToken cancellation)
    {
        List<IndexEntry> entries = [];
        Add(tree, "", entries, cancellation);
        entries.Sort((one, other) => one.Path.AsSpan().SequenceCompareTo(other.Path));

        // LibGit2Sharp gives names as text. A name that is no UTF-8 would come back as another one: the tree's id tells.
        return IndexFile.TreeId(entries).AsSpan().SequenceEqual(tree.Id.RawId)
            ? entries
            : throw new GitBackendException("The commit has file names that are not UTF-8, which LibGit2Sharp cannot give. Nothing was changed. Use UseGit() or UseGitCli().");
    }

    private static void Add(Tree tree, string prefix, List<IndexEntry> entries, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        foreach (TreeEntry entry in tree)
        {
            string path = prefix + entry.Name;
            RefuseAstray(path);
            if (entry.TargetType == TreeEntryTargetType.Tree)
            {
                Add((Tree)entry.Target, path + "/", entries, cancellation);
            }
            else
            {
                entries.Add(new IndexEntry { Path = Encoding.UTF8.GetBytes(path), Mode = ModeOf(entry.Mode, path), Id = entry.Target.Id.RawId });
            }
        }
    }

    /// <summary>Refuses a path that would lead out of the slot, or be git's own.</summary>
    public static void RefuseAstray(string path)
    {
        if (path.Split('/').Any(LeadsAstray))
        {
            throw new GitBackendException($"The commit has a file named \"{path}\", which would not lie in the slot or be git's own. Nothing was changed. Git refuses such a commit too: git fsck names it.");
        }
    }

    /// <summary>
    /// Names that git's verify_path refuses, and some more that it might: <c>..</c>, <c>.git</c> in any case, what Windows or macOS take for it
    /// (<c>git~1</c>, <c>.git.</c>, <c>.git::$INDEX_ALLOCATION</c>), and separators.
    /// </summary>
    private static bool LeadsAstray(string name) =>
        name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\\', '\0')
        || name.StartsWith("git~", StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith('.') && IsGit(name));

    private static bool IsGit(string name)
    {
        // macOS ignores characters that are not shown.
        string shown = string.Concat(name.Where(c => char.GetUnicodeCategory(c) != System.Globalization.UnicodeCategory.Format));
        return shown.StartsWith(".git", StringComparison.OrdinalIgnoreCase) && (shown.Length == 4 || !(char.IsAsciiLetterOrDigit(shown[4]) || shown[4] is '-' or '_'));
    }

    /// <summary>A mode as an index has it.</summary>
    public static uint ModeOf(Mode mode, string path) => mode switch
    {
        Mode.NonExecutableFile or Mode.NonExecutableGroupWritableFile => IndexEntry.Regular,
        Mode.ExecutableFile => IndexEntry.Executable,
        Mode.SymbolicLink => IndexEntry.Link,
        _ => throw new GitBackendException($"{path} is a submodule, which LibGit2Sharp cannot keep ready. Nothing was changed. Use UseGit() or UseGitCli()."),
    };
}
