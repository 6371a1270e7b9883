using System.Runtime.InteropServices;

namespace WorktreePool.Cli.Readiness;

/// <summary>What .NET does not tell of a file system.</summary>
internal static partial class FileSystemFacts
{
    /// <summary>Larger than the structure on any Linux of 64 bits.</summary>
    private const int StructureSize = 256;

    /// <summary>Where f_files and f_favail are, in words: after f_bsize, f_frsize, f_blocks, f_bfree, f_bavail.</summary>
    private const int Inodes = 5, AvailableInodes = 7;

    /// <summary>How many files can still be made; null where that has no limit, or cannot be told.</summary>
    public static long? FreeInodes(string directory)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
        {
            return null;
        }

        long[] words = new long[StructureSize / sizeof(long)];
        return Read(directory, words) == 0 && words[Inodes] > 0 ? words[AvailableInodes] : null;
    }

    [LibraryImport("libc", EntryPoint = "statvfs", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Read(string path, [Out] long[] structure);
}
