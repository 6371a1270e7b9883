using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool;

/// <summary>
/// Makes a rename or a removal in a directory survive power loss. Windows has no such call and needs none: NTFS journals its
/// directories. A file system that cannot do it is as safe as it gets, so a failure is no error.
/// </summary>
internal static partial class DirectorySync
{
    private const int CloseOnExecLinux = 0x80000;
    private const int CloseOnExecMac = 0x1000000;

    public static void Flush(string directory)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            using SafeFileHandle handle = Open(directory, OperatingSystem.IsLinux() ? CloseOnExecLinux : CloseOnExecMac);
            if (!handle.IsInvalid)
            {
                _ = Synchronize(handle);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(SafeFileHandle descriptor);
}
