using System.Text;

namespace WorktreePool.Git.LibGit2;

/// <summary>A directory of an index, and the tree that its entries make.</summary>
/// <param name="Name">The bytes of its name in the directory above; the root has none.</param>
/// <param name="Id">The tree's id, as <c>git write-tree</c> would give it.</param>
/// <param name="Count">How many entries are below it, at any depth.</param>
/// <param name="Directories">Those in it, in the order of the index.</param>
internal sealed record IndexTree(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Id, int Count, IReadOnlyList<IndexTree> Directories)
{
    /// <summary>Computes it, without any object store.</summary>
    /// <param name="entries">In the order of git.</param>
    public static IndexTree Of(IReadOnlyList<IndexEntry> entries) => Of(entries, 0, entries.Count, 0);

    /// <summary>
    /// What git keeps in an index to know the trees of its entries (gitformat-index(5), "Cache tree"): without it the first command in the slot would
    /// compute them, and write the index anew.
    /// </summary>
    public byte[] ToCacheTree()
    {
        using var nodes = new MemoryStream();
        WriteTo(nodes);
        return nodes.ToArray();
    }

    /// <param name="entries">All entries.</param>
    /// <param name="from">The first of the directory.</param>
    /// <param name="to">The first after it.</param>
    /// <param name="prefix">How many bytes of their paths are the directory's, with its slash.</param>
    private static IndexTree Of(IReadOnlyList<IndexEntry> entries, int from, int to, int prefix)
    {
        var content = new TreeContent();
        List<IndexTree> directories = [];
        for (int i = from; i < to;)
        {
            IndexEntry entry = entries[i];
            ReadOnlySpan<byte> rest = entry.Path.AsSpan(prefix);
            int slash = rest.IndexOf((byte)'/');
            if (slash < 0)
            {
                content.Add(entry.Mode, rest, entry.Id.Span);
                i++;
                continue;
            }

            ReadOnlySpan<byte> directory = entry.Path.AsSpan(0, prefix + slash + 1);
            int end = i + 1;
            while (end < to && entries[end].Path.AsSpan().StartsWith(directory))
            {
                end++;
            }

            IndexTree below = Of(entries, i, end, directory.Length);
            content.Add(TreeContent.Directory, rest[..slash], below.Id.Span);
            directories.Add(below);
            i = end;
        }

        ReadOnlyMemory<byte> path = prefix == 0 ? default : entries[from].Path.AsMemory(0, prefix - 1);
        return new IndexTree(path[(path.Span.LastIndexOf((byte)'/') + 1)..], content.ToId(), to - from, directories);
    }

    /// <summary>A directory before those in it.</summary>
    private void WriteTo(MemoryStream nodes)
    {
        nodes.Write(Name.Span);
        nodes.Write(Encoding.ASCII.GetBytes($"\0{Count} {Directories.Count}\n"));
        nodes.Write(Id.Span);
        foreach (IndexTree directory in Directories)
        {
            directory.WriteTo(nodes);
        }
    }
}
