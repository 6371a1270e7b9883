using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.Git.Worktree;

/// <summary>File access that never follows a link a holder may have planted, and never leaves a half-written file.</summary>
internal static class SafeFile
{
    private const string Temporary = ".tmp";

    private static long _written;

    /// <summary>Whether a regular file is there: no link, and no pipe either, which would never answer who opens it.</summary>
    public static bool IsRealFile(string path) => UnixFiles.IsSupported
        ? StatusOf(path) is { IsFile: true }
        : new FileInfo(path) is { Exists: true, LinkTarget: null };

    /// <summary>Whether a real directory, not a link to one, is there.</summary>
    public static bool IsRealDirectory(string path) => UnixFiles.IsSupported
        ? StatusOf(path) is { IsDirectory: true }
        : new DirectoryInfo(path) is { Exists: true, LinkTarget: null };

    /// <summary>One question to the kernel; null when there is nothing, or it cannot be told.</summary>
    private static FileStatus? StatusOf(string path)
    {
        try
        {
            // With a slash at the end a link would be followed.
            return path.Contains('\0', StringComparison.Ordinal) ? null : UnixFiles.Status(Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(path)));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Whether anything is there, a dangling link included.</summary>
    public static bool Exists(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>Nothing that is read whole is nearly so large, unless somebody made it so: it would take all memory.</summary>
    private const long Largest = 256 << 20;

    /// <summary>The content of a real file; null when there is none, it cannot be read, or is larger than any that git or the pool writes. A byte order mark is content, as it is to git.</summary>
    public static string? TryRead(string path) => TryReadBytes(path) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    /// <summary>The same, as bytes.</summary>
    public static byte[]? TryReadBytes(string path)
    {
        try
        {
            return path.Length > 0 && !path.Contains('\0', StringComparison.Ordinal) ? ReadBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A claim reads a dozen small files, and .NET asks the system eight times for each.</summary>
    private static byte[]? ReadBytes(string path)
    {
        if (!UnixFiles.IsSupported)
        {
            return IsRealFile(path) && new FileInfo(path).Length <= Largest ? File.ReadAllBytes(path) : null;
        }

        byte[] name = Encoding.UTF8.GetBytes(path);
        if (UnixFiles.Status(name) is not { IsFile: true, Size: <= Largest } status)
        {
            return null;
        }

        using SafeFileHandle file = UnixFiles.OpenReal(name);
        byte[] content = new byte[status.Size];
        int length = 0;
        for (int read; (read = RandomAccess.Read(file, content.AsSpan(length), length)) > 0;)
        {
            length += read;
            if (length == content.Length && RandomAccess.GetLength(file) is var now && now > length)
            {
                // It has grown since.
                Array.Resize(ref content, (int)Math.Min(now, Largest));
            }
        }

        return length == content.Length ? content : content[..length];
    }

    /// <summary>The SHA-256 of a real file's bytes, in hexadecimal digits; null when there is none or it cannot be read.</summary>
    public static string? Hash(string path)
    {
        try
        {
            if (!IsRealFile(path))
            {
                return null;
            }

            using FileStream stream = File.OpenRead(path);
            return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes a sibling and renames it into place; whatever was there, be it a link or a directory, is replaced, not followed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">What shall be in it.</param>
    /// <param name="toDisk">Whether it shall be whole after a power loss, too; else it may be empty then, and whoever reads it must find that.</param>
    public static void Write(string path, string content, bool toDisk = true) => Write(path, Encoding.UTF8.GetBytes(content), toDisk);

    /// <summary>The same, with bytes.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content, bool toDisk = true)
    {
        Sweep(path);
        string temporary = $"{path}.{Environment.ProcessId}.{Interlocked.Increment(ref _written)}{Temporary}";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                CrashPoint.Reached($"{Path.GetFileName(path)} begun");
                stream.Write(content);
                stream.Flush(toDisk);
                CrashPoint.Reached($"{Path.GetFileName(path)} written");
            }

            if (IsRealDirectory(path))
            {
                TreeRemoval.Remove(path);
            }

            File.Move(temporary, path, overwrite: true);
            CrashPoint.Reached($"{Path.GetFileName(path)} in place");
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Brings a file that somebody else has written to the disk, if it is there and ours to open.</summary>
    public static void TryFlush(string path)
    {
        try
        {
            // Git's own are closed to writers; only Windows asks for a handle that may write.
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone into another file meanwhile.
        }
    }

    /// <summary>Removes what writers of the same file left that were killed at it. Each sibling's name has its writer's process.</summary>
    private static void Sweep(string path)
    {
        string name = Path.GetFileName(path);
        foreach (string left in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, $"{name}.*{Temporary}"))
        {
            if (Path.GetFileName(left)[(name.Length + 1)..].Split('.') is [var writer, _, _] && int.TryParse(writer, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && !RunningProcess.Exists(pid))
            {
                File.Delete(left);
                CrashPoint.Reached("debris of a killed writer deleted");
            }
        }
    }
}
