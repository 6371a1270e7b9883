using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>How a file is read and replaced, so that readers see old or new, never half.</summary>
internal static class DocumentFile
{
    /// <summary>What a file's name ends in while it is written.</summary>
    public const string Temporary = ".tmp";

    /// <summary>What the names of files end in that nobody needs: written and not put in place, and what former versions of this library wrote the next version into.</summary>
    public static readonly IReadOnlyList<string> Debris = [Temporary, ".spare"];

    /// <summary>What the name of a damaged file ends in that was replaced.</summary>
    public const string Damaged = ".damaged";

    /// <summary>The bytes; null when there is no such file.</summary>
    public static byte[]? TryRead(string file)
    {
        using SafeFileHandle? handle = UnixCalls.TryOpen(file, FileAccess.Read);
        return handle is null ? null : ReadAll(handle, file);
    }

    /// <summary>All bytes of an open file.</summary>
    /// <exception cref="IOException">It is no file.</exception>
    public static byte[] ReadAll(SafeFileHandle handle, string file)
    {
        try
        {
            // A directory has the longest of all lengths.
            long length = UnixCalls.LengthOf(handle);
            byte[] content = length <= Array.MaxLength ? new byte[length] : throw new IOException("it is no file, or too long.");
            int read = 1;
            for (int at = 0; at < content.Length && read > 0; at += read)
            {
                read = RandomAccess.Read(handle, content.AsSpan(at), at);
            }

            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{file} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Sibling, fsync, rename, fsync of the directory: durable when it returns.</summary>
    public static void Write(string file, byte[] content)
    {
        string sibling = WriteSibling(file + Temporary, content, isDurable: true);
        Move(sibling, file);
        DirectorySync.Flush(Path.GetDirectoryName(file)!);
        CrashPoint.Reached("state file durable");
    }

    /// <summary>Sibling and rename: readers see the old file or the new one. Durable when the system writes it.</summary>
    public static void Replace(string file, byte[] content) => Move(WriteSibling(file + Temporary, content, isDurable: false), file);

    private static string WriteSibling(string sibling, byte[] content, bool isDurable)
    {
        try
        {
            using SafeFileHandle made = File.OpenHandle(sibling, FileMode.Create, FileAccess.Write);
            CrashPoint.Reached("state file begun");
            RandomAccess.Write(made, content, 0);
            CrashPoint.Reached("state file written");
            if (isDurable)
            {
                RandomAccess.FlushToDisk(made);
            }
        }
        catch
        {
            // On a full disk every byte counts. What cannot be removed now, the next writer sweeps away.
            TryDelete(sibling);
            throw;
        }

        return sibling;
    }

    private static void Move(string sibling, string file)
    {
        try
        {
            File.Move(sibling, file, overwrite: true);
            CrashPoint.Reached("state file in place");
        }
        catch
        {
            TryDelete(sibling);
            throw;
        }
    }

    /// <summary>Deletes a file, durably.</summary>
    public static void Delete(string file)
    {
        File.Delete(file);
        CrashPoint.Reached("state file deleted");
        DirectorySync.Flush(Path.GetDirectoryName(file)!);
    }

    /// <summary>Deletes a file if that is possible.</summary>
    public static void TryDelete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that led here is the one to tell of.
        }
    }
}
