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
            if (entry.TargetType == TreeEntryTargetType.Tree)
            {
                Add((Tree)entry.Target, path + "/", entries, cancellation);
            }
            else
            {
                entries.Add(new IndexEntry { Path = Encoding.UTF8.GetBytes(path), Mode = ModeOf(entry, path), Id = entry.Target.Id.RawId });
            }
        }
    }

    private static uint ModeOf(TreeEntry entry, string path) => entry.Mode switch
    {
        Mode.NonExecutableFile or Mode.NonExecutableGroupWritableFile => IndexEntry.Regular,
        Mode.ExecutableFile => IndexEntry.Executable,
        Mode.SymbolicLink => IndexEntry.Link,
        _ => throw new GitBackendException($"{path} is a submodule, which LibGit2Sharp cannot keep ready. Nothing was changed. Use UseGit() or UseGitCli()."),
    };
}
