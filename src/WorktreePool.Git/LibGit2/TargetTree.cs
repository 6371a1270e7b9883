using System.Text;
using LibGit2Sharp;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Reads a commit's tree as the entries of an index. A directory of which another index has the same tree is taken from there, with what is known
/// about its files; only the others are read.
/// </summary>
internal sealed class TargetTree
{
    private readonly CancellationToken _cancellation;
    private readonly List<byte[]> _gone = [];
    private IndexEntry[] _entries;
    private int _count;
    private bool _isSame = true;

    private TargetTree(int expected, CancellationToken cancellation) => (_entries, _cancellation) = (new IndexEntry[expected], cancellation);

    /// <summary>Reads it.</summary>
    /// <param name="tree">The commit's.</param>
    /// <param name="known">An index that hides nothing and has no conflicts; null: none is known.</param>
    /// <param name="cancellation">Ends the work between two directories.</param>
    /// <exception cref="GitBackendException">The tree holds what this backend cannot check out; the message says what.</exception>
    public static Target Read(Tree tree, VerifiedIndex? known, CancellationToken cancellation)
    {
        IndexEntry[] entries = known?.Index.Entries ?? [];
        var reader = new TargetTree(entries.Length, cancellation);
        IndexTree trees = reader.Read(tree, [], default, new KnownDirectory(entries, known?.Index.Trees, 0, 0));
        Array.Resize(ref reader._entries, reader._count);
        return new Target(reader._entries, trees, known?.Written ?? default, known?.Commit, reader._gone);
    }

    /// <summary>Whether an index is a tree, entry for entry.</summary>
    /// <param name="tree">The commit's.</param>
    /// <param name="index">An index that hides nothing and has no conflicts.</param>
    /// <param name="cancellation">Ends the work between two directories.</param>
    /// <exception cref="GitBackendException">The tree holds what cannot be read here; the message says what.</exception>
    public static bool IsIn(Tree tree, IndexFile index, CancellationToken cancellation)
    {
        if (index.Trees.Id.Span.SequenceEqual(tree.Id.RawId))
        {
            return true;
        }

        var reader = new TargetTree(index.Entries.Length, cancellation);
        reader.Read(tree, [], default, new KnownDirectory(index.Entries, index.Trees, 0, 0));
        return reader._isSame && reader._gone.Count == 0;
    }

    /// <param name="tree">The directory's tree.</param>
    /// <param name="prefix">Its path with a slash at the end; empty for the root.</param>
    /// <param name="ownName">Its name; empty for the root.</param>
    /// <param name="known">What is known of it.</param>
    private IndexTree Read(Tree tree, byte[] prefix, ReadOnlyMemory<byte> ownName, KnownDirectory known)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (known.Id.SequenceEqual(tree.Id.RawId))
        {
            (IndexTree same, ArraySegment<IndexEntry> entries) = known.TakeAll();
            Add(entries);
            return same;
        }

        int from = _count;
        string above = UnixFiles.Text(prefix);
        var content = new TreeContent();
        List<IndexTree> directories = [];
        byte[] last = [];
        foreach (TreeEntry entry in tree)
        {
            string path = above + entry.Name;
            RefuseAstray(entry.Name, path);
            bool isDirectory = entry.TargetType == TreeEntryTargetType.Tree;
            byte[] name = Encoding.UTF8.GetBytes(isDirectory ? entry.Name + "/" : entry.Name);
            if (name.AsSpan().SequenceCompareTo(last) <= 0)
            {
                throw new GitBackendException($"The commit has {path} out of its order. Nothing was changed. Git calls such a commit damaged too: git fsck names it.");
            }

            last = name;
            known.PassTo(name, _gone);
            if (isDirectory)
            {
                IndexTree below = Read((Tree)entry.Target, [.. prefix, .. name], name.AsMemory(..^1), known.TakeDirectory(name));
                content.Add(TreeContent.Directory, below.Name.Span, below.Id.Span);
                directories.Add(below);
            }
            else
            {
                var file = new IndexEntry { Path = [.. prefix, .. name], Mode = ModeOf(entry.Mode, path), Id = entry.Target.Id.RawId };
                content.Add(file.Mode, name, file.Id.Span);
                AddFile(known.TakeFile(name), file);
            }
        }

        known.PassTo([], _gone);

        // LibGit2Sharp gives names as text, and modes as those it knows. A name that is no UTF-8 would come back as another one: the tree's id tells.
        byte[] id = content.ToId();
        return id.AsSpan().SequenceEqual(tree.Id.RawId)
            ? new IndexTree(ownName, id, _count - from, directories)
            : throw new GitBackendException(
                $"The commit has names in {(above.Length == 0 ? "its root" : above)} that are not UTF-8, or modes that git no longer writes; LibGit2Sharp cannot give them. Nothing was changed. Use UseGit() or UseGitCli().");
    }

    private void AddFile(IndexEntry? known, IndexEntry file)
    {
        bool isSame = known is { } before && before.Mode == file.Mode && before.Id.Span.SequenceEqual(file.Id.Span);
        _isSame &= isSame;
        Add([isSame ? known!.Value : file]);
    }

    private void Add(ReadOnlySpan<IndexEntry> entries)
    {
        if (_count + entries.Length > _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(_entries.Length * 2, _count + entries.Length));
        }

        entries.CopyTo(_entries.AsSpan(_count));
        _count += entries.Length;
    }

    /// <summary>Refuses a name that would lead out of the slot, or be git's own.</summary>
    private static void RefuseAstray(string name, string path)
    {
        if (LeadsAstray(name))
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
    private static uint ModeOf(Mode mode, string path) => mode switch
    {
        Mode.NonExecutableFile or Mode.NonExecutableGroupWritableFile => IndexEntry.Regular,
        Mode.ExecutableFile => IndexEntry.Executable,
        Mode.SymbolicLink => IndexEntry.Link,
        _ => throw new GitBackendException($"{path} is a submodule, which LibGit2Sharp cannot keep ready. Nothing was changed. Use UseGit() or UseGitCli()."),
    };
}
