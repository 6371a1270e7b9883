using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>How one file of the state is read and replaced, so that readers see old or new, never half.</summary>
internal static class DocumentFile
{
    /// <summary>What a file's name ends in while it is written.</summary>
    public const string Temporary = ".tmp";

    /// <summary>
    /// What the name of a file ends in that the next version is written into. It is the one before the last, and stays: to make and delete a file for each
    /// change costs more than all else, above all on ext4 without a journal, which looks through what was deleted lately for each file that is made.
    /// </summary>
    public const string Spare = ".spare";

    /// <summary>What the name of a damaged file ends in that was replaced.</summary>
    public const string Damaged = ".damaged";

    /// <summary>How often a file is opened anew that was replaced while it was read.</summary>
    private const int MostReadings = 50;

    /// <summary>The bytes; null when there is no such file. Two changes that end meanwhile may have mixed them: the change counter tells.</summary>
    public static byte[]? TryRead(string file)
    {
        for (int reading = 1; ; reading++)
        {
            using SafeFileHandle? handle = UnixCalls.TryOpen(file, FileAccess.Read);
            try
            {
                return handle is null ? null : ReadAll(handle, file);
            }
            catch (IOException e) when (e.InnerException is EndOfStreamException && reading < MostReadings)
            {
                // Opened before two changes: it has become the spare, and is written again.
            }
        }
    }

    /// <summary>All bytes of an open file.</summary>
    /// <exception cref="IOException">It is no file, or shrinks meanwhile.</exception>
    public static byte[] ReadAll(SafeFileHandle handle, string file)
    {
        try
        {
            byte[] content = new byte[RandomAccess.GetLength(handle)];
            for (int at = 0, read; at < content.Length; at += read)
            {
                read = RandomAccess.Read(handle, content.AsSpan(at), at);
                if (read == 0)
                {
                    throw new EndOfStreamException("it became shorter meanwhile.");
                }
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

    /// <summary>Writes the file that <see cref="PutInPlace"/> is to put in place: what can fail for want of space fails here.</summary>
    /// <returns>Its path.</returns>
    public static string Prepare(string file, byte[] content) => WriteSibling(file + Spare, content, isDurable: false);

    /// <summary>Puts a prepared file in place: complete for every reader, durable when the system writes it. What was in its place is the next one's spare.</summary>
    public static void PutInPlace(string sibling, string file)
    {
        if (UnixCalls.TryExchange(sibling, file))
        {
            CrashPoint.Reached("state file in place");
        }
        else
        {
            Move(sibling, file);
        }
    }

    private static string WriteSibling(string sibling, byte[] content, bool isDurable)
    {
        try
        {
            using SafeFileHandle made = UnixCalls.OpenOrCreate(sibling);
            RandomAccess.Write(made, content, 0);
            CrashPoint.Reached("state file written");
            if (RandomAccess.GetLength(made) > content.Length)
            {
                RandomAccess.SetLength(made, content.Length);
                CrashPoint.Reached("state file cut");
            }

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
