using System.Security.Cryptography;

namespace WorktreePool.Git.Worktree;

/// <summary>The checksum with which every file that git writes beside packs ends.</summary>
internal static class Checksum
{
    /// <summary>Bytes of it in a repository of this object format.</summary>
    public static int LengthIn(string objectFormat) => objectFormat == "sha1" ? SHA1.HashSizeInBytes : SHA256.HashSizeInBytes;

    /// <summary>Whether bytes end with the checksum of what is before.</summary>
    public static bool IsRight(ReadOnlySpan<byte> bytes, int length)
    {
        if (bytes.Length <= length)
        {
            return false;
        }

#pragma warning disable CA5350 // Git's own checksum.
        return (length == SHA1.HashSizeInBytes ? SHA1.HashData(bytes[..^length]) : SHA256.HashData(bytes[..^length])).AsSpan().SequenceEqual(bytes[^length..]);
#pragma warning restore CA5350
    }

    /// <summary>The same of a file, however large.</summary>
    public static bool IsRight(string file, int length)
    {
        using FileStream stream = File.OpenRead(file);
        if (stream.Length <= length)
        {
            return false;
        }

#pragma warning disable CA5350 // Git's own checksum.
        using var hash = IncrementalHash.CreateHash(length == SHA1.HashSizeInBytes ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
#pragma warning restore CA5350
        byte[] block = new byte[1 << 16];
        for (long left = stream.Length - length; left > 0;)
        {
            int read = stream.Read(block, 0, (int)Math.Min(block.Length, left));
            if (read == 0)
            {
                return false;
            }

            hash.AppendData(block, 0, read);
            left -= read;
        }

        return hash.GetHashAndReset().AsSpan().SequenceEqual(Tail(file, length, 0));
    }

    /// <summary>So many bytes at a file's end, or before as many others there.</summary>
    public static byte[] Tail(string file, int length, int before)
    {
        using FileStream stream = File.OpenRead(file);
        byte[] tail = new byte[length];
        stream.Position = Math.Max(0, stream.Length - length - before);
        stream.ReadAtLeast(tail, length, throwOnEndOfStream: false);
        return tail;
    }
}
