using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace WorktreePool.Runtime;

/// <summary>
/// Reads one process in /proc (proc(5)). Straight by the system's calls: a busy machine has hundreds of processes with thousands of open files, and
/// .NET's way asks for the status of each and makes texts of all. Linux only.
/// </summary>
internal static unsafe partial class ProcessDirectory
{
    /// <summary><c>PATH_MAX</c>: the kernel gives no longer one.</summary>
    private const int LongestPath = 4096;

    private const int NameOffset = 19;
    private const int NoEntry = 2;
    private const int CurrentDirectory = -100;

    /// <summary>Whether it has an environment and maps anything at all: the kernel's own threads, of which there are many, have neither, nor a program.</summary>
    /// <param name="proc">Its directory.</param>
    public static bool HasMemory(string proc)
    {
        byte* first = stackalloc byte[1];
        fixed (byte* name = Encoding.UTF8.GetBytes(proc + "/exe\0"))
        {
            return ReadLink(CurrentDirectory, name, first, 1) >= 0 || Marshal.GetLastPInvokeError() != NoEntry;
        }
    }

    /// <summary>Whether the environment that the process was started with holds a variable.</summary>
    /// <param name="proc">Its directory.</param>
    /// <param name="variable">The whole of it, with the zero at its end.</param>
    public static bool HasInEnvironment(string proc, byte[] variable)
    {
        bool Holds(ReadOnlySpan<byte> all)
        {
            for (int from = 0, at; (at = all[from..].IndexOf(variable)) >= 0; from += at + 1)
            {
                if (from + at == 0 || all[from + at - 1] == 0)
                {
                    return true;
                }
            }

            return false;
        }

        return Read($"{proc}/environ", Holds);
    }

    /// <summary>Whether something in a directory is mapped into its memory: it may be written there, although no open file tells of it.</summary>
    /// <param name="proc">Its directory.</param>
    /// <param name="directory">The bytes of the path.</param>
    public static bool HasMapped(string proc, ReadOnlySpan<byte> directory)
    {
        // "from-to rights offset device inode      path"; no column before the path holds a slash. Only a newline in a path is written otherwise.
        byte[] wanted = [(byte)' ', .. directory, (byte)'/'];
        return Read($"{proc}/maps", all => all.IndexOf(wanted) >= 0);
    }

    /// <summary>Looks at the whole of a file, with a zero after it; false when it cannot be read.</summary>
    private static bool Read(string file, Look look)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            int length = 0;
            for (int read; (read = stream.Read(buffer, length, buffer.Length - length)) > 0;)
            {
                length += read;
                if (length == buffer.Length)
                {
                    byte[] larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }

            // The last variable may lack its zero.
            buffer[length] = 0;
            return look(buffer.AsSpan(0, length + 1));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone meanwhile, or another user's.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private delegate bool Look(ReadOnlySpan<byte> all);

    /// <summary>Whether its current directory, program, root or an open file is a directory or in it.</summary>
    /// <param name="proc">Its directory.</param>
    /// <param name="directory">The bytes of the path.</param>
    public static bool LeadsInto(string proc, ReadOnlySpan<byte> directory)
    {
        if (LinkLeadsInto(CurrentDirectory, Encoding.UTF8.GetBytes(proc + "/cwd\0"), directory)
            || LinkLeadsInto(CurrentDirectory, Encoding.UTF8.GetBytes(proc + "/exe\0"), directory)
            || LinkLeadsInto(CurrentDirectory, Encoding.UTF8.GetBytes(proc + "/root\0"), directory))
        {
            return true;
        }

        nint open = OpenDirectory(Encoding.UTF8.GetBytes(proc + "/fd\0"));
        if (open == 0)
        {
            return false;
        }

        try
        {
            int descriptor = DescriptorOf(open);
            for (nint entry; (entry = ReadDirectory(open)) != 0;)
            {
                // "." and ".." are no links and give nothing.
                if (LinkLeadsInto(descriptor, MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)entry + NameOffset), directory))
                {
                    return true;
                }
            }

            return false;
        }
        finally
        {
            _ = CloseDirectory(open);
        }
    }

    /// <summary>Whether a link leads to the directory or into it; false when it cannot be read. A zero follows the link's name.</summary>
    private static bool LinkLeadsInto(int at, ReadOnlySpan<byte> link, ReadOnlySpan<byte> directory)
    {
        byte* buffer = stackalloc byte[LongestPath];
        int length;
        fixed (byte* name = link)
        {
            length = (int)ReadLink(at, name, buffer, LongestPath);
        }

        var target = new ReadOnlySpan<byte>(buffer, Math.Max(0, length));
        return target.StartsWith(directory) && (target.Length == directory.Length || target[directory.Length] is (byte)'/' or (byte)' ');
    }

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadLink(int directory, byte* path, byte* buffer, nint size);

    [LibraryImport("libc", EntryPoint = "opendir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint OpenDirectory(byte[] path);

    [LibraryImport("libc", EntryPoint = "dirfd")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int DescriptorOf(nint directory);

    [LibraryImport("libc", EntryPoint = "readdir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadDirectory(nint directory);

    [LibraryImport("libc", EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseDirectory(nint directory);
}
