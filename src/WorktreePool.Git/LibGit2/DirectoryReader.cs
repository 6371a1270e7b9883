using System.Runtime.InteropServices;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// An open directory, to ask for the status of what is in it: the kernel resolves each name alone instead of its whole path, and nobody can put a
/// link in the place of a directory above meanwhile. Linux only, see <see cref="UnixFiles.IsSupported"/>.
/// </summary>
internal sealed unsafe partial class DirectoryReader : IDisposable
{
    private const int NoFollow = 0x100;
    private const uint BasicStatus = 0x7ff;
    private const int NoEntry = 2;
    private const int NameOffset = 19;
    private const int LongestName = 255;

    /// <summary><c>O_DIRECTORY</c> and <c>O_NOFOLLOW</c> differ between architectures (asm/fcntl.h).</summary>
    private static readonly int OwnDirectory = 0x80000 | (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 | 0x8000 : 0x10000 | 0x20000);

    private readonly byte[] _path;
    private readonly int _descriptor;
    private nint _stream;

    private DirectoryReader(byte[] path, int descriptor) => (_path, _descriptor) = (path, descriptor);

    /// <summary>Opens a directory.</summary>
    /// <param name="path">Bytes, without a zero at the end. The last part must not be a link.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static DirectoryReader Open(byte[] path)
    {
        int descriptor = Open([.. path, 0], OwnDirectory);
        return descriptor < 0 ? throw Failed(path) : new DirectoryReader(path, descriptor);
    }

    public void Dispose() => _ = _stream == 0 ? Close(_descriptor) : CloseDirectory(_stream);

    /// <summary>The status of one thing in it; null when there is none of this name.</summary>
    /// <param name="name">Bytes, without a zero at the end.</param>
    /// <exception cref="IOException">It cannot be told.</exception>
    public FileStatus? Status(ReadOnlySpan<byte> name)
    {
        byte* terminated = stackalloc byte[LongestName + 1];
        if (name.Length > LongestName)
        {
            return null;
        }

        name.CopyTo(new Span<byte>(terminated, LongestName));
        terminated[name.Length] = 0;
        return Status(terminated);
    }

    /// <summary>Gives each thing in it, once, without <c>.</c> and <c>..</c>, and without what vanishes during the read.</summary>
    /// <param name="found">Called for each; the name is valid during the call only, for a large slot has very many.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public void Read(Found found)
    {
        _stream = OpenDirectory(_descriptor);
        if (_stream == 0)
        {
            throw Failed(_path);
        }

        nint entry;
        while ((entry = ReadDirectory(_stream)) != 0)
        {
            byte* name = (byte*)entry + NameOffset;
            ReadOnlySpan<byte> bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            if (!bytes.SequenceEqual("."u8) && !bytes.SequenceEqual(".."u8) && Status(name) is { } status)
            {
                found(bytes, status);
            }
        }

        // readdir(3) tells of an error only by errno, which the marshaller clears before each call.
        if (Marshal.GetLastPInvokeError() != 0)
        {
            throw Failed(_path);
        }
    }

    private FileStatus? Status(byte* name) =>
        StatX(_descriptor, name, NoFollow, BasicStatus, out StatXBuffer buffer) == 0 ? new FileStatus(buffer)
        : Marshal.GetLastPInvokeError() == NoEntry ? null
        : throw Failed(_path);

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
