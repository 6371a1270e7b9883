namespace WorktreePool.Git.LibGit2;

/// <summary>What a directory of an index that is known holds, taken in turn while a tree is read that may be the same one.</summary>
/// <param name="entries">All entries of the index.</param>
/// <param name="tree">The directory; null when there is none of this name.</param>
/// <param name="from">The first entry below it.</param>
/// <param name="prefix">How many bytes of their paths are the directory's, with its slash.</param>
internal sealed class KnownDirectory(IndexEntry[] entries, IndexTree? tree, int from, int prefix)
{
    private readonly int _end = from + (tree?.Count ?? 0);
    private int _at = from;
    private int _directory;

    /// <summary>The id of its tree; empty when there is none.</summary>
    public ReadOnlySpan<byte> Id => tree is null ? default : tree.Id.Span;

    /// <summary>What comes next: a file, or a directory with a slash at its end; empty after the last.</summary>
    private ReadOnlySpan<byte> Next
    {
        get
        {
            ReadOnlySpan<byte> rest = _at == _end ? default : entries[_at].Path.AsSpan(prefix);
            return rest.IndexOf((byte)'/') is >= 0 and var slash ? rest[..(slash + 1)] : rest;
        }
    }

    /// <summary>All of it, of which nothing was taken yet.</summary>
    public (IndexTree Tree, ArraySegment<IndexEntry> Entries) TakeAll() => (tree!, new ArraySegment<IndexEntry>(entries, _at, _end - _at));

    /// <summary>Passes by what comes before a name.</summary>
    /// <param name="name">A directory's has a slash at its end; empty: everything is passed by.</param>
    /// <param name="passed">Takes the paths of the files that were.</param>
    public void PassTo(ReadOnlySpan<byte> name, List<byte[]> passed)
    {
        while (_at < _end && (name.IsEmpty || Next.SequenceCompareTo(name) < 0))
        {
            int count = Next.EndsWith((byte)'/') ? TakeTree().Count : 1;
            for (; count > 0; count--)
            {
                passed.Add(entries[_at++].Path);
            }
        }
    }

    /// <summary>Takes a file, if it is next.</summary>
    public IndexEntry? TakeFile(ReadOnlySpan<byte> name) => Next.SequenceEqual(name) ? entries[_at++] : null;

    /// <summary>Takes a directory, if it is next; an empty one if it is not.</summary>
    /// <param name="name">With a slash at its end.</param>
    public KnownDirectory TakeDirectory(ReadOnlySpan<byte> name)
    {
        if (!Next.SequenceEqual(name))
        {
            return new KnownDirectory(entries, null, 0, 0);
        }

        IndexTree taken = TakeTree();
        var directory = new KnownDirectory(entries, taken, _at, prefix + name.Length);
        _at += taken.Count;
        return directory;
    }

    /// <summary>A tree without files is in no entry.</summary>
    private IndexTree TakeTree()
    {
        while (tree!.Directories[_directory].Count == 0)
        {
            _directory++;
        }

        return tree.Directories[_directory++];
    }
}
