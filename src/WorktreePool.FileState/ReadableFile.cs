using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>
/// The file that people read a record in. The next version is written over the last one, with blanks at its end, so that nothing of its status changes but its time:
/// to put another file in its place makes the next journal's way to the disk half as long again (ext4 without a journal writes the inodes that lie near it, too).
/// </summary>
/// <remarks>
/// A version reaches the disk when the system writes it, and who reads meanwhile may see half of it. This library does not: the change counter tells that a writer is at
/// work, or died at it, and a process that has not seen the file yet compares it with its journal, which has everything with a hash.
/// </remarks>
internal static class ReadableFile
{
    /// <summary>A file is as long as this or a multiple, so that the next version fits into it.</summary>
    private const int Step = 1024;

    /// <summary>As many blanks may be left at its end.</summary>
    private const int MostBlanks = 4 * Step;

    /// <summary>The bytes without the blanks at the end; null when there is no such file.</summary>
    public static byte[]? TryRead(string file) => DocumentFile.TryRead(file) is { } bytes ? WithoutBlanks(bytes) : null;

    /// <summary>Writes the next version; makes the file where it is missing, a link, too short, or far too long.</summary>
    public static void Write(string file, byte[] content)
    {
        if (!TryWriteOver(file, content))
        {
            DocumentFile.Replace(file, WithBlanks(content, (content.Length + Step - 1) / Step * Step));
        }
    }

    private static bool TryWriteOver(string file, byte[] content)
    {
        using SafeFileHandle? old = UnixCalls.TryOpen(file, FileAccess.ReadWrite);
        if (old is null || UnixCalls.LengthOf(old) is var length && (length < content.Length || length > content.Length + MostBlanks))
        {
            return false;
        }

        RandomAccess.Write(old, WithBlanks(content, (int)length), 0);
        CrashPoint.Reached("state file written over");
        return true;
    }

    /// <summary>They go before the end of the last line: below it they would be lines of their own.</summary>
    private static byte[] WithBlanks(byte[] content, int length)
    {
        if (length == content.Length)
        {
            return content;
        }

        byte[] bytes = new byte[length];
        int end = content.Length > 0 && content[^1] == (byte)'\n' ? content.Length - 1 : content.Length;
        content.AsSpan(0, end).CopyTo(bytes);
        bytes.AsSpan(end, length - end - 1).Fill((byte)' ');
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    private static byte[] WithoutBlanks(byte[] bytes)
    {
        if (bytes.Length < 2 || bytes[^1] != (byte)'\n' || bytes[^2] != (byte)' ')
        {
            return bytes;
        }

        byte[] content = bytes[..(bytes.AsSpan(0, bytes.Length - 1).TrimEnd((byte)' ').Length + 1)];
        content[^1] = (byte)'\n';
        return content;
    }
}
