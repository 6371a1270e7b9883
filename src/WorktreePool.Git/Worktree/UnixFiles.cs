using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// What .NET's file API cannot say about a file on Linux: its change time and inode, and a name that is no UTF-8. Paths are bytes.
/// Nothing here follows a link in the last part of a path.
/// </summary>
internal static partial class UnixFiles
{
    private const int CurrentDirectory = -100;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStatus = 0x7ff;
    private const int NonBlockingCloseOnExec = 0x800 | 0x80000;

    /// <summary><c>O_WRONLY | O_CREAT | O_EXCL</c>.</summary>
    private const int MakeNew = 0x1 | 0x40 | 0x80;

    /// <summary><c>O_NOFOLLOW</c>, one of the few that differ.</summary>
    private static readonly int NoLink = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    private const int NoEntry = 2;
    private const int NotDirectory = 20;
    private const int TypeOffset = 18;
    private const int NameOffset = 19;

    /// <summary>Whether these calls exist here with the layout they are made with.</summary>
    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>A file's status; null when there is no such file.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <exception cref="IOException">It cannot be told.</exception>
    public static FileStatus? Status(ReadOnlySpan<byte> path)
    {
        if (StatX(CurrentDirectory, Terminated(path), NoFollow, BasicStatus, out StatXBuffer buffer) == 0)
        {
            return new FileStatus(buffer);
        }

        int error = Marshal.GetLastPInvokeError();
        return error is NoEntry or NotDirectory ? null : throw Failed("read the status of", path, error);
    }

    /// <summary>Which user a file belongs to; null where that cannot be told.</summary>
    public static uint? OwnerOf(string path) => IsSupported ? Status(System.Text.Encoding.UTF8.GetBytes(path))?.Stamp.User : null;

    /// <summary>The user this process acts as.</summary>
    public static uint CurrentUser { get; } = IsSupported ? EffectiveUser() : 0;

    /// <summary>The names in a directory, without <c>.</c> and <c>..</c>.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static List<byte[]> Names(ReadOnlySpan<byte> path) => [.. Entries(path).Select(entry => entry.Name)];

    /// <summary>The same, each with its kind as readdir(3) gives it; zero where the file system does not tell.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static List<(byte[] Name, byte Type)> Entries(ReadOnlySpan<byte> path)
    {
        nint directory = OpenDirectory(Terminated(path));
        if (directory == 0)
        {
            throw Failed("read the directory", path, Marshal.GetLastPInvokeError());
        }

        try
        {
            List<(byte[] Name, byte Type)> entries = [];
            for (nint entry = ReadDirectory(directory); entry != 0; entry = ReadDirectory(directory))
            {
                byte[] name = NameAt(entry + NameOffset);
                if (!name.AsSpan().SequenceEqual("."u8) && !name.AsSpan().SequenceEqual(".."u8))
                {
                    entries.Add((name, Marshal.ReadByte(entry, TypeOffset)));
                }
            }

            int error = Marshal.GetLastPInvokeError();
            return error == 0 ? entries : throw Failed("read the directory", path, error);
        }
        finally
        {
            _ = CloseDirectory(directory);
        }
    }

    /// <summary>Opens a regular file to read.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <param name="expected">The status it was seen with: another file in its place is an error.</param>
    /// <exception cref="IOException">It cannot be opened, or is another file by now.</exception>
    public static SafeFileHandle OpenRead(ReadOnlySpan<byte> path, FileStatus expected)
    {
        int descriptor = Open(Terminated(path), NonBlockingCloseOnExec);
        if (descriptor < 0)
        {
            throw Failed("open", path, Marshal.GetLastPInvokeError());
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            return Status(handle) is { IsFile: true } now && now.Stamp == expected.Stamp ? handle : throw new IOException($"{Text(path)} changed while it was read");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file to read that was seen to be a regular one. A link in its place is not followed, and a pipe in its place does not wait.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenReal(ReadOnlySpan<byte> path)
    {
        int descriptor = Open(Terminated(path), NonBlockingCloseOnExec | NoLink);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed("open", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Makes a file to write that is not there: nothing that is there is written through.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <param name="rights">Its rights, less what the process takes from new files.</param>
    /// <exception cref="IOException">It cannot be made, for example because something is there.</exception>
    public static SafeFileHandle Make(ReadOnlySpan<byte> path, int rights)
    {
        int descriptor = Open(Terminated(path), NonBlockingCloseOnExec | NoLink | MakeNew, rights);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed("make", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Removes a file, a link or the like, and no directory.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <returns>False when it is not there, is a directory, or refuses to go.</returns>
    public static bool TryUnlink(ReadOnlySpan<byte> path) => Unlink(Terminated(path)) == 0;

    /// <summary>An open file's status.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    public static FileStatus Status(SafeFileHandle file) => StatX(file, [0], EmptyPath, BasicStatus, out StatXBuffer buffer) == 0
        ? new FileStatus(buffer)
        : throw new IOException($"cannot read the status of an open file: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    /// <summary>Where a link points.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] LinkTarget(ReadOnlySpan<byte> path)
    {
        byte[] buffer = new byte[4096];
        nint length = ReadLink(Terminated(path), buffer, buffer.Length);
        return length >= 0 ? buffer[..(int)length] : throw Failed("read the link", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Gives something another name in the same file system.</summary>
    /// <exception cref="IOException">It cannot be moved.</exception>
    public static void Move(ReadOnlySpan<byte> path, ReadOnlySpan<byte> to)
    {
        if (Rename(Terminated(path), Terminated(to)) != 0)
        {
            throw Failed("move", path, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>A path for people.</summary>
    public static string Text(ReadOnlySpan<byte> path) => System.Text.Encoding.UTF8.GetString(path);

    private static byte[] Terminated(ReadOnlySpan<byte> path) => [.. path, 0];

    private static byte[] NameAt(nint address)
    {
        int length = 0;
        while (Marshal.ReadByte(address, length) != 0)
        {
            length++;
        }

        byte[] name = new byte[length];
        Marshal.Copy(address, name, 0, length);
        return name;
    }

    private static IOException Failed(string what, ReadOnlySpan<byte> path, int error) =>
        new($"cannot {what} {Text(path)}: {Marshal.GetPInvokeErrorMessage(error)}");

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int directory, byte[] path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(SafeFileHandle directory, byte[] path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint OpenDirectory(byte[] path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(byte[] path, int flags, int rights = 0);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unlink(byte[] path);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadLink(byte[] path, byte[] buffer, nint size);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Rename(byte[] path, byte[] to);
}

/// <summary>What a file is. Small, because a walk of a large slot holds one of each file.</summary>
internal readonly struct FileStatus(StatXBuffer buffer)
{
    private const int Kind = 0xF000, OwnerReadsAndWrites = 0x180, SetUser = 0x800, SetGroup = 0x400, Sticky = 0x200;

    private readonly ushort _mode = buffer.Mode;
    private readonly bool _hasOneName = buffer.Links <= 1;

    /// <summary>Kind and rights.</summary>
    public ushort Mode => _mode;

    public bool IsFile => (_mode & Kind) == 0x8000;

    public bool IsDirectory => (_mode & Kind) == 0x4000;

    public bool IsLink => (_mode & Kind) == 0xA000;

    /// <summary>As git sees it: the owner may execute it.</summary>
    public bool IsExecutable => (_mode & 0x40) != 0;

    /// <summary>Its owner may read, write, and search it.</summary>
    public bool IsOpenToOwner => (_mode & 0x1C0) == 0x1C0;

    /// <summary>
    /// Whether this is a file as a checkout makes one: ours to read and write, without another name by which it changes with a file elsewhere, and
    /// without the bits that lend rights. Git looks at none of these.
    /// </summary>
    public bool IsOrdinaryFile => _hasOneName && (_mode & (OwnerReadsAndWrites | SetUser | SetGroup | Sticky)) == OwnerReadsAndWrites && Stamp.User == UnixFiles.CurrentUser;

    /// <summary>
    /// Whether this is a directory as a checkout makes one: ours to read, write and search, and without the bits that restrict or lend rights. The
    /// group bit is inherited, so it may be there when it is in the one above.
    /// </summary>
    public bool IsOrdinaryDirectory(FileStatus? above) =>
        IsOpenToOwner && (_mode & (SetUser | Sticky)) == 0 && ((_mode & SetGroup) == 0 || (above?._mode & SetGroup) == SetGroup) && Stamp.User == UnixFiles.CurrentUser;

    public long Size { get; } = (long)buffer.Size;

    /// <summary>As an index keeps it; 32 bits of each, as git does.</summary>
    public FileStamp Stamp { get; } = new(
        (uint)buffer.ChangedSeconds, buffer.ChangedNanoseconds, (uint)buffer.ModifiedSeconds, buffer.ModifiedNanoseconds,
        DeviceOf(buffer), (uint)buffer.Inode, buffer.User, buffer.Group, (uint)buffer.Size);

    /// <summary>The low 32 bits of the number that <c>stat</c> gives.</summary>
    private static uint DeviceOf(StatXBuffer buffer) =>
        (buffer.DeviceMinor & 0xff) | ((buffer.DeviceMajor & 0xfff) << 8) | ((buffer.DeviceMinor & ~0xffu) << 12);
}

/// <summary>What an index keeps of a file's status; 32 bits of each, as git does.</summary>
internal readonly record struct FileStamp(uint ChangedSeconds, uint ChangedNanoseconds, uint ModifiedSeconds, uint ModifiedNanoseconds, uint Device, uint Inode, uint User, uint Group, uint Size)
{
    /// <summary>Whether the file is the same; a device's number may change at a restart, and git does not look at it either.</summary>
    public bool IsSame(FileStamp other) => this with { Device = 0 } == other with { Device = 0 };

    /// <summary>When the file's content was changed last, to a tenth of a microsecond and never too late; UTC.</summary>
    public DateTime Modified => DateTime.UnixEpoch.AddSeconds(ModifiedSeconds).AddTicks(ModifiedNanoseconds / 100);
}
