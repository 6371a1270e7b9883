using LibGit2Sharp;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>What a slot's files shall be: the entries of a commit's tree, with what the pool knows about the files already.</summary>
/// <param name="Entries">In the order of git. An entry whose file the pool wrote itself has its status as the stamp; it counts by the rules of an index.</param>
/// <param name="Written">When the index was written that the stamps are from.</param>
/// <param name="From">The commit that index was of; null when nothing is known about files.</param>
/// <param name="Gone">Paths that commit has and this one has not.</param>
internal sealed record Target(IndexEntry[] Entries, FileStamp Written, string? From, IReadOnlyList<byte[]> Gone)
{
    private const uint Submodule = 0xE000;

    /// <summary>Reads it: from the trusted index and what has changed since its commit where there is one, or else from the tree.</summary>
    /// <exception cref="GitBackendException">The tree holds what cannot be checked out here.</exception>
    public static Target Read(ObjectReader objects, TrustedIndex trusted, string slot, string commit, Tree tree, CancellationToken cancellation) =>
        FromIndex(objects, trusted, slot, commit, tree) ?? new Target([.. TargetTree.Read(tree, cancellation)], default, null, []);

    private static Target? FromIndex(ObjectReader objects, TrustedIndex trusted, string slot, string commit, Tree tree)
    {
        if ((trusted.Find(slot, commit) ?? trusted.FindAny(slot)) is not { } path || UnixFiles.Status(System.Text.Encoding.UTF8.GetBytes(path)) is not { IsFile: true } status)
        {
            return null;
        }

        string from = TrustedIndex.CommitOf(path);
        try
        {
            IndexFile index = IndexFile.Parse(File.ReadAllBytes(path));
            if (index.IsPartial || index.Entries.Any(entry => !System.Text.Unicode.Utf8.IsValid(entry.Path) || entry.Stage != 0 || entry.IsHidden || entry.IsIntentToAdd || entry.Mode == Submodule))
            {
                return null;
            }

            Target? target = from == commit ? new Target([.. index.Entries], status.Stamp, from, [])
                : objects.TreeOf(from) is { } before ? Moved(index.Entries, objects.Repository.Diff.Compare<TreeChanges>(before, tree, new CompareOptions { Similarity = SimilarityOptions.None }), status.Stamp, from)
                : null;

            // Names that LibGit2Sharp gives wrongly, and whatever else went wrong: the tree's id tells.
            return target is not null && IndexFile.TreeId(target.Entries).AsSpan().SequenceEqual(tree.Id.RawId) ? target : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static Target Moved(IReadOnlyList<IndexEntry> known, TreeChanges changes, FileStamp written, string from)
    {
        var changed = new SortedDictionary<byte[], IndexEntry?>(ByBytes.Instance);
        foreach (TreeEntryChanges change in changes)
        {
            byte[] path = System.Text.Encoding.UTF8.GetBytes(change.Path);
            changed[path] = change.Status == ChangeKind.Deleted
                ? null
                : new IndexEntry { Path = path, Mode = TargetTree.ModeOf(change.Mode, change.Path), Id = change.Oid.RawId };
            TargetTree.RefuseAstray(change.Path);
        }

        List<IndexEntry> entries = new(known.Count + changed.Count);
        using SortedDictionary<byte[], IndexEntry?>.Enumerator next = changed.GetEnumerator();
        bool isMore = next.MoveNext();
        foreach (IndexEntry entry in known)
        {
            int order = 1;
            while (isMore && (order = next.Current.Key.AsSpan().SequenceCompareTo(entry.Path)) < 0)
            {
                AddNext();
            }

            if (isMore && order == 0)
            {
                AddNext();
            }
            else
            {
                entries.Add(entry);
            }
        }

        while (isMore)
        {
            AddNext();
        }

        return new Target([.. entries], written, from, [.. changed.Where(change => change.Value is null).Select(change => change.Key)]);

        void AddNext()
        {
            if (next.Current.Value is { } entry)
            {
                entries.Add(entry);
            }

            isMore = next.MoveNext();
        }
    }

    private sealed class ByBytes : IComparer<byte[]>
    {
        public static readonly ByBytes Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
