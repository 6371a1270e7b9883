using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>Calls of Linux that .NET does not offer. Elsewhere each says so, and its caller does the same more slowly.</summary>
internal static partial class UnixCalls
{
    private const int CurrentDirectory = -100;
    private const int NoFollow = 0x100;
    private const uint BasicStatus = 0x7ff;
    private const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;
    private const int Make = 0x40;
    private const int EveryRight = 0b110_110_110;
    private const int NoEntry = 2;
    private const int NotDirectory = 20;
    private const int IsLink = 40;
    private const int End = 2;

    /// <summary><c>O_NOFOLLOW</c>, one of the few that differ between architectures (asm/fcntl.h).</summary>
    private static readonly int NotALink = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>
    /// Opens a file that exists. On Linux without the advisory lock that .NET takes on every file it opens: a reader's would keep a writer from its own.
    /// </summary>
    /// <param name="path">The file. What a link leads to is only read.</param>
    /// <param name="access">Read, or read and write.</param>
    /// <returns>Null when there is no such file.</returns>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle? TryOpen(string path, FileAccess access)
    {
        if (OperatingSystem.IsLinux())
        {
            var file = new SafeFileHandle(Open(path, CloseOnExec | (access == FileAccess.Read ? 0 : ReadWrite | NotALink), 0), ownsHandle: true);
            int error = Marshal.GetLastPInvokeError();
            if (!file.IsInvalid)
            {
                return file;
            }

            file.Dispose();
            return error is NoEntry or NotDirectory or IsLink ? null : throw new IOException($"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}");
        }

        try
        {
            return File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Opens a file to read and write, made if it is not there. On Linux without the advisory lock that .NET takes on every file it opens.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenOrCreate(string path)
    {
        SafeFileHandle file = OperatingSystem.IsLinux()
            ? new SafeFileHandle(Open(path, CloseOnExec | ReadWrite | Make, EveryRight), ownsHandle: true)
            : File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        int error = Marshal.GetLastPInvokeError();
        CrashPoint.Reached("history begun");
        if (!file.IsInvalid)
        {
            return file;
        }

        file.Dispose();
        string message = $"{path} cannot be made: {Marshal.GetPInvokeErrorMessage(error)}";
        throw error == NoEntry ? new DirectoryNotFoundException(message) : new IOException(message);
    }

    /// <summary>Brings a file's bytes to the disk. On Linux without its times, which would cost a commit of the file system's own journal (fdatasync(2)).</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void SyncData(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
        }
        else if (SyncDataOf(file) != 0)
        {
            throw new IOException($"it could not be brought to the disk: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }

    /// <summary>
    /// An open file's length. On Linux without asking for its status: whoever asks for that has the file system give the next write a time of its own (multigrain
    /// timestamps, Linux 6.13), and to bring a journal to the disk costs half as much again when the status of a file nearby has changed (ext4 without a journal).
    /// </summary>
    /// <exception cref="IOException">It has no length, as a pipe.</exception>
    public static long LengthOf(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
        {
            return RandomAccess.GetLength(file);
        }

        long length = Seek(file, 0, End);
        return length >= 0 ? length : throw new IOException($"its length cannot be told: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    /// <summary>The number of a file on its file system; null when it cannot be told.</summary>
    public static ulong? InodeOf(string path) =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64
        && StatX(CurrentDirectory, path, NoFollow, BasicStatus, out StatXBuffer status) == 0 ? status.Inode : null;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags, int rights);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SyncDataOf(SafeFileHandle descriptor);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long Seek(SafeFileHandle descriptor, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out StatXBuffer status);
}
