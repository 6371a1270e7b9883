using System.Buffers.Binary;
using System.Security.Cryptography;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>Writes an index of version 2 with the entries and the trees they make, and nothing else: no flags, no other extensions.</summary>
internal static class IndexWriter
{
    private const int FixedPart = 62;
    private const int LongestStatedName = 0xFFF;

    /// <summary>The bytes of the file.</summary>
    /// <param name="entries">In the order of git.</param>
    public static byte[] ToBytes(IReadOnlyList<IndexEntry> entries)
    {
        using var file = new MemoryStream();
        file.Write("DIRC"u8);
        Write(file, 2);
        Write(file, (uint)entries.Count);
        foreach (IndexEntry entry in entries)
        {
            WriteEntry(file, entry);
        }

        byte[] trees = IndexFile.CacheTree(entries);
        file.Write("TREE"u8);
        Write(file, (uint)trees.Length);
        file.Write(trees);
#pragma warning disable CA5350 // The format's own checksum.
        file.Write(SHA1.HashData(file.GetBuffer().AsSpan(0, (int)file.Length)));
#pragma warning restore CA5350
        return file.ToArray();
    }

    private static void WriteEntry(MemoryStream file, IndexEntry entry)
    {
        FileStamp stamp = entry.Stamp;
        ReadOnlySpan<uint> fields =
        [
            stamp.ChangedSeconds, stamp.ChangedNanoseconds, stamp.ModifiedSeconds, stamp.ModifiedNanoseconds,
            stamp.Device, stamp.Inode, entry.Mode, stamp.User, stamp.Group, stamp.Size,
        ];
        foreach (uint field in fields)
        {
            Write(file, field);
        }

        file.Write(entry.Id.Span);
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)Math.Min(entry.Path.Length, LongestStatedName));
        file.Write(length);
        file.Write(entry.Path);
        file.Write(new byte[8 - ((FixedPart + entry.Path.Length) & 7)]);
    }

    private static void Write(MemoryStream file, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        file.Write(bytes);
    }
}
