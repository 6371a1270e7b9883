using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>Calls of Linux that .NET does not offer. Elsewhere each says so, and its caller does the same more slowly.</summary>
internal static partial class UnixCalls
{
    private const int CurrentDirectory = -100;
    private const int NoFollow = 0x100;
    private const uint BasicStatus = 0x7ff;
    private const uint Exchange = 2;
    private const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;
    private const int Make = 0x40;
    private const int EveryRight = 0b110_110_110;
    private const int NoEntry = 2;
    private const int NotDirectory = 20;
    private const int NoSuchCall = 38;

    private static volatile bool _cannotExchange = !OperatingSystem.IsLinux();

    /// <summary>
    /// Opens a file that exists. On Linux without the advisory lock that .NET takes on every file it opens: a reader's would keep a writer from its own.
    /// </summary>
    /// <returns>Null when there is no such file.</returns>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle? TryOpen(string path, FileAccess access)
    {
        if (OperatingSystem.IsLinux())
        {
            var file = new SafeFileHandle(Open(path, CloseOnExec | (access == FileAccess.Read ? 0 : ReadWrite), 0), ownsHandle: true);
            int error = Marshal.GetLastPInvokeError();
            if (!file.IsInvalid)
            {
                return file;
            }

            file.Dispose();
            return error is NoEntry or NotDirectory ? null : throw new IOException($"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}");
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
        CrashPoint.Reached("state file begun");
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
    /// Gives two files each other's name, atomically (renameat2(2)). Unlike a replacing rename it does not make ext4 write the new file's bytes at
    /// once, which takes longer than all else.
    /// </summary>
    /// <returns>False when that cannot be done here, or one of them does not exist.</returns>
    public static bool TryExchange(string one, string other)
    {
        if (_cannotExchange)
        {
            return false;
        }

        try
        {
            if (RenameAt(CurrentDirectory, one, CurrentDirectory, other, Exchange) == 0)
            {
                return true;
            }

            _cannotExchange = Marshal.GetLastPInvokeError() == NoSuchCall;
        }
        catch (EntryPointNotFoundException)
        {
            _cannotExchange = true;
        }

        return false;
    }

    /// <summary>A file's status, <see cref="FileStamp.Missing"/> when there is no file; null when it cannot be told here.</summary>
    public static FileStamp? StampOf(string path)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
        {
            return null;
        }

        if (StatX(CurrentDirectory, path, NoFollow, BasicStatus, out StatXBuffer status) == 0)
        {
            return new FileStamp(status.Inode, status.Size, status.ChangedSeconds, status.ChangedNanoseconds, status.ModifiedSeconds, status.ModifiedNanoseconds);
        }

        return Marshal.GetLastPInvokeError() == NoEntry ? FileStamp.Missing : null;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags, int rights);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SyncDataOf(SafeFileHandle descriptor);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RenameAt(int directory, string path, int otherDirectory, string other, uint flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out StatXBuffer status);
}

/// <summary>What tells that a file may have been changed since it was read.</summary>
internal sealed record FileStamp(ulong Inode, ulong Size, long ChangedSeconds, uint ChangedNanoseconds, long ModifiedSeconds, uint ModifiedNanoseconds)
{
    public static FileStamp Missing { get; } = new(0, 0, 0, 0, 0, 0);
}
