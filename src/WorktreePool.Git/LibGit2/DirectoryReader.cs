using System.Runtime.InteropServices;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Reads a directory with the status of everything in it, relative to the open directory: the kernel resolves each name alone instead of its
/// whole path, and nobody can put a link in the place of a directory above meanwhile. Linux only, see <see cref="UnixFiles.IsSupported"/>.
/// </summary>
internal static unsafe partial class DirectoryReader
{
    private const int NoFollow = 0x100;
    private const uint BasicStatus = 0x7ff;
    private const int NoEntry = 2;
    private const int NameOffset = 19;

    /// <summary><c>O_DIRECTORY</c> and <c>O_NOFOLLOW</c> differ between architectures (asm/fcntl.h).</summary>
    private static readonly int OwnDirectory = 0x80000 | (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 | 0x8000 : 0x10000 | 0x20000);

    /// <summary>Gives each thing in a directory, without <c>.</c> and <c>..</c>, and without what vanishes during the read.</summary>
    /// <param name="path">Bytes, without a zero at the end. The last part must not be a link.</param>
    /// <param name="found">Called for each; the name is valid during the call only, for a large slot has very many.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static void Read(ReadOnlySpan<byte> path, Found found)
    {
        int descriptor = Open([.. path, 0], OwnDirectory);
        if (descriptor < 0)
        {
            throw Failed(path);
        }

        nint directory = OpenDirectory(descriptor);
        if (directory == 0)
        {
            IOException failure = Failed(path);
            _ = Close(descriptor);
            throw failure;
        }

        try
        {
            ReadAll(directory, descriptor, path, found);
        }
        finally
        {
            // Closes the descriptor, too.
            _ = CloseDirectory(directory);
        }
    }

    private static void ReadAll(nint directory, int descriptor, ReadOnlySpan<byte> path, Found found)
    {
        nint entry;
        while ((entry = ReadDirectory(directory)) != 0)
        {
            byte* name = (byte*)entry + NameOffset;
            ReadOnlySpan<byte> bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            if (bytes.SequenceEqual("."u8) || bytes.SequenceEqual(".."u8))
            {
                continue;
            }

            if (StatX(descriptor, name, NoFollow, BasicStatus, out StatXBuffer buffer) == 0)
            {
                found(bytes, new FileStatus(buffer));
            }
            else if (Marshal.GetLastPInvokeError() != NoEntry)
            {
                throw Failed(path);
            }
        }

        // readdir(3) tells of an error only by errno, which the marshaller clears before each call.
        if (Marshal.GetLastPInvokeError() != 0)
        {
            throw Failed(path);
        }
    }

    private static IOException Failed(ReadOnlySpan<byte> path) =>
        new($"cannot read the directory {UnixFiles.Text(path)}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(byte[] path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "fdopendir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint OpenDirectory(int descriptor);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int directory, byte* path, int flags, uint mask, out StatXBuffer buffer);
}

/// <summary>Takes one thing in a directory.</summary>
/// <param name="name">Its bytes.</param>
/// <param name="status">What it was when it was read.</param>
internal delegate void Found(ReadOnlySpan<byte> name, FileStatus status);
