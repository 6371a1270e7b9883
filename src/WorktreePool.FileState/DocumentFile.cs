namespace WorktreePool.FileState;

/// <summary>How one file of the state is read and replaced, so that readers see old or new, never half.</summary>
internal static class DocumentFile
{
    /// <summary>What a file's name ends in while it is written.</summary>
    public const string Temporary = ".tmp";

    /// <summary>What the name of a damaged file ends in that was replaced.</summary>
    public const string Damaged = ".damaged";

    /// <summary>The bytes; null when there is no such file.</summary>
    public static byte[]? TryRead(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Sibling, fsync, rename, fsync of the directory: durable when it returns; without the two fsyncs only complete.</summary>
    public static void Write(string file, byte[] content, bool isDurable)
    {
        string sibling = file + Temporary;
        string what = isDurable ? "state file" : "state copy";
        try
        {
            using (var stream = new FileStream(sibling, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                CrashPoint.Reached($"{what} begun");
                stream.Write(content);
                CrashPoint.Reached($"{what} written");
                stream.Flush(flushToDisk: isDurable);
            }

            File.Move(sibling, file, overwrite: true);
            CrashPoint.Reached($"{what} in place");
        }
        catch
        {
            // On a full disk every byte counts. What cannot be removed now, the next writer sweeps away.
            TryDelete(sibling);
            throw;
        }

        if (isDurable)
        {
            DirectorySync.Flush(Path.GetDirectoryName(file)!);
            CrashPoint.Reached($"{what} durable");
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
