using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// A read lease on a file (fcntl(2), F_SETLEASE). The kernel grants one only while nobody has the file open for writing: in whatever process, by whatever
/// name, mapped or not. While it is held, whoever opens the file for writing waits; so it is held for microseconds.
/// </summary>
internal readonly partial struct ReadLease : IDisposable
{
    private const int SetSignal = 10, SetLease = 1024;
    private const int Read = 0, None = 2;

    /// <summary>SIGURG: what tells the holder that somebody waits. Ignored by default, unlike SIGIO, which would end this process.</summary>
    private const int Ignored = 23;

    private readonly SafeFileHandle _file;

    private ReadLease(SafeFileHandle file) => _file = file;

    /// <summary>The open file as a path.</summary>
    public byte[] OpenPath => Encoding.ASCII.GetBytes($"/proc/self/fd/{_file.DangerousGetHandle()}");

    /// <summary>The file's status now.</summary>
    public FileStatus Status => UnixFiles.Status(_file);

    /// <summary>Takes a lease.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <param name="seen">The status the file was seen with.</param>
    /// <exception cref="IOException">Somebody has it open for writing, its file system has no leases, or it has changed since it was seen.</exception>
    public static ReadLease Take(byte[] path, FileStatus seen)
    {
        SafeFileHandle file = UnixFiles.OpenRead(path, seen);
        if (Control(file, SetSignal, Ignored) == 0 && Control(file, SetLease, Read) == 0)
        {
            return new ReadLease(file);
        }

        string why = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
        file.Dispose();
        throw new IOException($"{UnixFiles.Text(path)} may be open for writing: {why}");
    }

    public void Dispose()
    {
        _ = Control(_file, SetLease, None);
        _file.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(SafeFileHandle file, int command, int argument);
}
