using System.IO.Compression;

namespace WorktreePool.Git.Worktree;

/// <summary>An object in a file of its own, as git writes it: "TYPE SIZE", a zero and the content, compressed by zlib; see gitformat-loose(5).</summary>
internal static class LooseObject
{
    /// <summary>More than any type and size take.</summary>
    private const int LongestHeader = 64;

    /// <summary>Whether all of it can be read. One that is closed to us counts as such: nobody knows better.</summary>
    public static bool IsWhole(string file)
    {
        try
        {
            using FileStream stored = File.OpenRead(file);
            using var content = new ZLibStream(stored, CompressionMode.Decompress);
            Span<byte> header = stackalloc byte[LongestHeader];
            int length = content.ReadAtLeast(header, LongestHeader, throwOnEndOfStream: false);
            int end = header[..length].IndexOf((byte)0), space = header[..length].IndexOf((byte)' ');
            if (space <= 0 || end <= space || !long.TryParse(header[(space + 1)..end], out long size))
            {
                return false;
            }

            // Its checksum is looked at by the way, at the end.
            long left = size - (length - end - 1);
            byte[] block = new byte[1 << 16];
            for (int read; (read = content.Read(block)) > 0;)
            {
                left -= read;
            }

            return left == 0;
        }
        catch (InvalidDataException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}
