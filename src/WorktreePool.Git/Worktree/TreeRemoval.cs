using System.Diagnostics;
using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// Removes whatever lies at a path, links as links. The library's own recursive delete fails on read-only directories, names that are not
/// UTF-8, and paths beyond PATH_MAX (docs/desync.md); where it does, the system's chmod and rm, which work with bytes, finish the work.
/// </summary>
internal static class TreeRemoval
{
    private const char Unreadable = '\uFFFD';

    /// <summary>Removes.</summary>
    /// <exception cref="GitBackendException">Something refuses to go: it is another user's, immutable, or a mount.</exception>
    public static void Remove(string path)
    {
        if (path.Contains(Unreadable, StringComparison.Ordinal))
        {
            RemoveUnreadable(path);
        }

        try
        {
            if (!SafeFile.IsRealDirectory(path))
            {
                File.Delete(path);
                CrashPoint.Reached("file removed");
                return;
            }

            if (Mounts.AtOrBelow(path) is [var mount, ..])
            {
                throw new GitBackendException($"{path} cannot be removed: it holds a mount, {mount}, and what is in that is not the pool's. Unmount it; it is retried.");
            }

#pragma warning disable RS0030 // This is the one place that knows when it fails and what to do then.
            Directory.Delete(path, recursive: true);
            CrashPoint.Reached("tree removed");
#pragma warning restore RS0030
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            RemoveForcibly(path, e);
        }
    }

    /// <summary>Removes a directory unless it holds something, or somebody puts something in meanwhile.</summary>
    public static void RemoveIfEmpty(string path)
    {
        try
        {
            Directory.Delete(path);
            CrashPoint.Reached("tree removed");
        }
        catch (IOException)
        {
            // It holds something, or is gone.
        }
    }

    /// <summary>Removes what can be removed; what refuses stays where it is.</summary>
    public static void TryRemove(string path)
    {
        try
        {
            Remove(path);
        }
        catch (GitBackendException)
        {
            // Whoever set it aside there tries again; RepositoryInspector names it until then.
        }
    }

    /// <summary>Makes every directory and file below readable and writable for us; links are not followed. Not where something is mounted: that is not ours to open.</summary>
    public static void MakeAccessible(string path)
    {
        if (!OperatingSystem.IsWindows() && SafeFile.IsRealDirectory(path) && Mounts.AtOrBelow(path).Count == 0)
        {
            Run("chmod", "-R", "u+rwX", "--", path);
        }
    }

    /// <summary>
    /// A name that is no UTF-8 reads as if it had replacement characters, and as such cannot be opened: everything in its directory
    /// that reads the same gets a plain name, and goes.
    /// </summary>
    private static void RemoveUnreadable(string path)
    {
        if (!UnixFiles.IsSupported || Path.GetDirectoryName(path) is not { } parent || !SafeFile.IsRealDirectory(parent))
        {
            return;
        }

        byte[] directory = Encoding.UTF8.GetBytes(parent + "/");
        foreach (byte[] name in UnixFiles.Names(directory))
        {
            string text = UnixFiles.Text(name);
            if (text == Path.GetFileName(path) && !Encoding.UTF8.GetBytes(text).AsSpan().SequenceEqual(name))
            {
                string plain = Path.Combine(parent, $"worktree-pool-{Guid.NewGuid():N}");
                UnixFiles.Move([.. directory, .. name], Encoding.UTF8.GetBytes(plain));
                CrashPoint.Reached("unreadable name made plain");
                Remove(plain);
            }
        }
    }

    private static void RemoveForcibly(string path, Exception first)
    {
        if (!OperatingSystem.IsWindows())
        {
            if (Path.GetDirectoryName(path) is { } parent && SafeFile.IsRealDirectory(parent))
            {
                MakeWritable(parent);
            }

            MakeAccessible(path);
            Run("rm", "-rf", "--", path);
        }

        if (SafeFile.Exists(path))
        {
            throw new GitBackendException($"{path} cannot be removed ({first.Message}). It may belong to another user, be immutable, or hold a mount. Remove it by hand; it is retried.", first);
        }
    }

    /// <summary>Gives the owner all rights to one directory.</summary>
    public static void MakeWritable(string directory)
    {
        if (!OperatingSystem.IsWindows())
        {
            UnixFileMode mode = File.GetUnixFileMode(directory);
            UnixFileMode wanted = mode | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            if (mode != wanted)
            {
                File.SetUnixFileMode(directory, wanted);
            }
        }
    }

    /// <summary>Gives a directory of a worktree the rights that a checkout would have given it, as far as they matter to its holder.</summary>
    /// <param name="directory">The worktree's root, or a directory in it.</param>
    /// <param name="root">The root; what is above it tells whether the group bit is inherited.</param>
    public static void MakeOrdinary(string directory, string root)
    {
        MakeWritable(directory);
        if (!OperatingSystem.IsWindows())
        {
            UnixFileMode mode = File.GetUnixFileMode(directory);
            UnixFileMode inherited = File.GetUnixFileMode(Path.GetDirectoryName(root)!) & UnixFileMode.SetGroup;
            UnixFileMode wanted = mode & ~(UnixFileMode.SetUser | UnixFileMode.StickyBit | (UnixFileMode.SetGroup & ~inherited));
            if (mode != wanted)
            {
                File.SetUnixFileMode(directory, wanted);
            }
        }
    }

    private static void Run(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.StandardError.ReadToEnd();
        process.WaitForExit();
    }
}
