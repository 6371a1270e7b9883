using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.Git.Worktree;

/// <summary>Tells what has happened to files and directories since they were added: the seam to the kernel's notification.</summary>
internal interface IFileEvents : IDisposable
{
    /// <summary>Begins to watch one file or directory; its number is the same however often it is added, and by whatever name.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <param name="what">What to tell of.</param>
    /// <exception cref="IOException">It cannot be watched, for example because the user watches as many as is allowed.</exception>
    int Add(ReadOnlySpan<byte> path, FileChange what);

    /// <summary>All that has happened since the last read. A system call that has returned, in whatever process, is among it.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    IEnumerable<(int Watch, FileChange What)> Read();
}

/// <summary>What can happen, and how to watch: the numbers of inotify(7).</summary>
[Flags]
internal enum FileChange : uint
{
    Modified = 0x2,
    Attributes = 0x4,
    ClosedAfterWriting = 0x8,
    Opened = 0x20,
    MovedFrom = 0x40,
    MovedTo = 0x80,
    Created = 0x100,
    Deleted = 0x200,
    SelfDeleted = 0x400,
    SelfMoved = 0x800,
    OnlyIfDirectory = 0x0100_0000,
    NoLink = 0x0200_0000,
}

/// <summary>inotify(7). Linux only, see <see cref="UnixFiles.IsSupported"/>.</summary>
internal sealed partial class Inotify : IFileEvents
{
    private const int NonBlockingCloseOnExec = 0x800 | 0x80000;
    private const int TryAgain = 11, TooManyInstances = 24, TooManyWatches = 28;
    private const int EventSize = 16, LengthOffset = 12;

    private readonly SafeFileHandle _queue;

    /// <exception cref="IOException">The user has as many queues as is allowed.</exception>
    public Inotify()
    {
        int descriptor = Init(NonBlockingCloseOnExec);
        _queue = descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed(Marshal.GetLastPInvokeError());
    }

    public int Add(ReadOnlySpan<byte> path, FileChange what) =>
        AddWatch(_queue, [.. path, 0], what) is >= 0 and var watch ? watch : throw Failed(Marshal.GetLastPInvokeError());

    public IEnumerable<(int Watch, FileChange What)> Read()
    {
        byte[] block = new byte[1 << 16];
        while (true)
        {
            nint length = Read(_queue, block, block.Length);
            if (length < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error == TryAgain)
                {
                    yield break;
                }

                throw Failed(error);
            }

            for (int at = 0; at < length; at += EventSize + BitConverter.ToInt32(block, at + LengthOffset))
            {
                yield return (BitConverter.ToInt32(block, at), (FileChange)BitConverter.ToUInt32(block, at + sizeof(int)));
            }
        }
    }

    public void Dispose() => _queue.Dispose();

    private static IOException Failed(int error) => new(error switch
    {
        TooManyWatches => "fs.inotify.max_user_watches is reached",
        TooManyInstances => "fs.inotify.max_user_instances is reached",
        _ => $"inotify failed: {Marshal.GetPInvokeErrorMessage(error)}",
    });

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int AddWatch(SafeFileHandle queue, byte[] path, FileChange what);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Read(SafeFileHandle queue, byte[] block, nint size);
}
