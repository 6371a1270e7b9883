using System.Buffers.Binary;
using System.Security.Cryptography;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>Writes an index of version 2 with the entries and the trees they make, and nothing else: no flags, no other extensions.</summary>
internal ref struct IndexWriter
{
    private const int FixedPart = 62;
    private const int LongestStatedName = 0xFFF;

    private Span<byte> _rest;

    /// <summary>The bytes of the file.</summary>
    /// <param name="entries">In the order of git.</param>
    /// <param name="trees">What they make.</param>
    public static byte[] ToBytes(IReadOnlyList<IndexEntry> entries, IndexTree trees)
    {
        byte[] cacheTree = trees.ToCacheTree();
        int hashed = 12 + entries.Sum(SizeOf) + 8 + cacheTree.Length;
        byte[] file = new byte[hashed + SHA1.HashSizeInBytes];
        var writer = new IndexWriter { _rest = file };
        writer.Write("DIRC"u8);
        writer.Write(2);
        writer.Write((uint)entries.Count);
        foreach (IndexEntry entry in entries)
        {
            writer.Write(entry);
        }

        writer.Write("TREE"u8);
        writer.Write((uint)cacheTree.Length);
        writer.Write(cacheTree);
#pragma warning disable CA5350 // The format's own checksum.
        SHA1.HashData(file.AsSpan(0, hashed), writer._rest);
#pragma warning restore CA5350
        return file;
    }

    /// <summary>With one to eight zeros at its end, so that the next one begins at a multiple of eight.</summary>
    private static int SizeOf(IndexEntry entry) => (FixedPart + entry.Path.Length + 8) & ~7;

    private void Write(in IndexEntry entry)
    {
        Span<byte> after = _rest[SizeOf(entry)..];
        FileStamp stamp = entry.Stamp;
        Write(stamp.ChangedSeconds);
        Write(stamp.ChangedNanoseconds);
        Write(stamp.ModifiedSeconds);
        Write(stamp.ModifiedNanoseconds);
        Write(stamp.Device);
        Write(stamp.Inode);
        Write(entry.Mode);
        Write(stamp.User);
        Write(stamp.Group);
        Write(stamp.Size);
        Write(entry.Id.Span);
        BinaryPrimitives.WriteUInt16BigEndian(_rest, (ushort)Math.Min(entry.Path.Length, LongestStatedName));
        _rest = _rest[2..];
        Write(entry.Path);
        _rest = after;
    }

    private void Write(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_rest, value);
        _rest = _rest[4..];
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_rest);
        _rest = _rest[bytes.Length..];
    }
}
