using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool;

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
    Overflowed = 0x4000,
    NoLongerWatched = 0x8000,
    OnlyIfDirectory = 0x0100_0000,
    NoLink = 0x0200_0000,
    Once = 0x8000_0000,
}

/// <summary>Something that has happened.</summary>
/// <param name="Watch">To what, by its watch; -1 when the queue ran over.</param>
/// <param name="What">What.</param>
/// <param name="Name">To which name in a watched directory; empty when to what is watched itself.</param>
internal readonly record struct FileEvent(int Watch, FileChange What, string Name);

/// <summary>inotify(7). Linux only. Only <see cref="Read()"/> is not for two threads at once.</summary>
internal sealed partial class Inotify : IDisposable
{
    private const int NonBlockingCloseOnExec = 0x800 | 0x80000;
    private const int Interrupted = 4, TryAgain = 11, TooManyInstances = 24, TooManyWatches = 28;
    private const int EventSize = 16, LengthOffset = 12;
    private const int BlockSize = 1 << 14;

    /// <summary>Of an event with the longest name.</summary>
    private const int MostOfOne = EventSize + 256;

    private const short Readable = 1;

    private readonly SafeFileHandle _queue;
    private byte[]? _block;

    /// <exception cref="IOException">The user has as many queues as is allowed.</exception>
    public Inotify()
    {
        int descriptor = Init(NonBlockingCloseOnExec);
        _queue = descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed(Marshal.GetLastPInvokeError());
    }

    /// <summary>Begins to watch one file or directory; its number is the same however often it is added, and by whatever name.</summary>
    /// <param name="path">Bytes, without a zero at the end.</param>
    /// <param name="what">What to tell of.</param>
    /// <exception cref="IOException">It cannot be watched, for example because the user watches as many as is allowed.</exception>
    public int Add(ReadOnlySpan<byte> path, FileChange what) =>
        AddWatch(_queue, [.. path, 0], what) is >= 0 and var watch ? watch : throw Failed(Marshal.GetLastPInvokeError());

    /// <summary>Watches something no longer, which wakes who waits.</summary>
    public void Remove(int watch) => _ = RemoveWatch(_queue, watch);

    /// <summary>Waits until there is something to read.</summary>
    /// <returns>Whether there is; false when it cannot be waited for.</returns>
    public bool Wait()
    {
        int result;
        do
        {
            var poll = new Polled { Descriptor = _queue.DangerousGetHandle().ToInt32(), Events = Readable };
            result = Poll(ref poll, 1, -1);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);

        return result > 0;
    }

    /// <summary>All that has happened since the last read. A system call that has returned, in whatever process, is among it.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IEnumerable<FileEvent> Read()
    {
        byte[] block = _block ??= new byte[BlockSize];
        nint length = BlockSize;

        // A read that leaves room for another event has taken all.
        while (length > BlockSize - MostOfOne)
        {
            length = Read(_queue, block, block.Length);
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
                ReadOnlySpan<byte> name = block.AsSpan(at + EventSize, BitConverter.ToInt32(block, at + LengthOffset)).TrimEnd((byte)0);
                yield return new FileEvent(BitConverter.ToInt32(block, at), (FileChange)BitConverter.ToUInt32(block, at + sizeof(int)), name.IsEmpty ? "" : Encoding.UTF8.GetString(name));
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

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RemoveWatch(SafeFileHandle queue, int watch);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Read(SafeFileHandle queue, byte[] block, nint size);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Poll(ref Polled polled, nuint count, int milliseconds);

    /// <summary>struct pollfd, see poll(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Polled
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }
}
