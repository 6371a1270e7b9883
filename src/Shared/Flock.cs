using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool;

/// <summary>
/// flock(2), what .NET's FileShare.None is on Unix, without what that lacks: to be told by a result that somebody else has the lock, where .NET throws; to wait in
/// the kernel's line; to look without taking. A handle is closed on exec, and given back before it is closed: a child that was just forked has it, too. Linux only.
/// </summary>
internal static partial class Flock
{
    private const int ReadWrite = 2, Make = 0x40, CloseOnExec = 0x80000;
    private const int EveryRight = 0b110_110_110;
    private const int Shared = 1, Exclusive = 2, AtOnce = 4, Unlock = 8;
    private const int NoEntry = 2, Interrupted = 4, TryAgain = 11, Denied = 13, NotDirectory = 20, IsDirectory = 21;

    /// <summary>Opens a lock's file, made if it is not there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="access">Whoever watches the file (inotify) is told only of a lock given back that was opened to write.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static SafeFileHandle Open(string path, FileAccess access)
    {
        var file = new SafeFileHandle(Open(path, (access == FileAccess.Read ? 0 : ReadWrite) | Make | CloseOnExec, EveryRight), ownsHandle: true);
        int error = Marshal.GetLastPInvokeError();
        if (!file.IsInvalid)
        {
            return file;
        }

        file.Dispose();
        string message = $"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}";
        throw error switch
        {
            NoEntry or NotDirectory => new DirectoryNotFoundException(message),
            Denied or IsDirectory => new UnauthorizedAccessException(message),
            _ => new IOException(message, error),
        };
    }

    /// <summary>Takes the lock if nobody has it.</summary>
    /// <returns>Whether it did.</returns>
    /// <exception cref="IOException">Files cannot be locked there.</exception>
    public static bool TryTake(SafeFileHandle file) => Call(file, Exclusive | AtOnce);

    /// <summary>Takes the lock, however long that takes.</summary>
    /// <exception cref="IOException">Files cannot be locked there.</exception>
    public static void Take(SafeFileHandle file) => _ = Call(file, Exclusive);

    /// <summary>Gives the lock back and closes its file.</summary>
    public static void GiveBack(SafeFileHandle file)
    {
        _ = Lock(file, Unlock);
        file.Dispose();
    }

    /// <summary>Whether somebody has the lock of an open file. If not, others cannot take it until the file is closed.</summary>
    /// <exception cref="IOException">Files cannot be locked there.</exception>
    public static bool IsHeld(SafeFileHandle file) => !Call(file, Shared | AtOnce);

    private static bool Call(SafeFileHandle file, int operation)
    {
        while (Lock(file, operation) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error == TryAgain)
            {
                return false;
            }

            if (error != Interrupted)
            {
                throw new IOException($"it cannot be locked: {Marshal.GetPInvokeErrorMessage(error)}", error);
            }
        }

        return true;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags, int rights);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Lock(SafeFileHandle file, int operation);
}
