using System.Runtime.InteropServices;

namespace WorktreePool.Cli.Commands;

/// <summary>Ends this process when the one that started it ends, however that ends: a shell that is killed can tell nobody.</summary>
internal static partial class ParentWatch
{
    private const int TellOnParentsDeath = 1, Terminate = 15;

    /// <summary>From now on the parent's end is a SIGTERM to this process, by the kernel.</summary>
    /// <exception cref="UsageException">This system cannot do it.</exception>
    /// <exception cref="OperationCanceledException">The parent has ended already.</exception>
    public static void Begin()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new UsageException("--with-parent needs Linux. Nothing was claimed.");
        }

        int parent = GetParent();
        if (SetOption(TellOnParentsDeath, Terminate, 0, 0, 0) != 0)
        {
            throw new UsageException($"--with-parent: the system refused it (error {Marshal.GetLastPInvokeError()}). Nothing was claimed.");
        }

        if (GetParent() != parent)
        {
            throw new OperationCanceledException("The process that started this one has ended.");
        }
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int SetOption(int option, nuint a, nuint b, nuint c, nuint d);
}
