using System.Diagnostics;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// Removes whatever lies at a path, links as links. The library's own recursive delete fails on read-only directories, names that are not
/// UTF-8, and paths beyond PATH_MAX (docs/desync.md); where it does, the system's chmod and rm, which work with bytes, finish the work.
/// </summary>
internal static class TreeRemoval
{
    /// <summary>Removes.</summary>
    /// <exception cref="GitBackendException">Something refuses to go: it is another user's, immutable, or a mount.</exception>
    public static void Remove(string path)
    {
        try
        {
            if (!SafeFile.IsRealDirectory(path))
            {
                File.Delete(path);
                return;
            }

#pragma warning disable RS0030 // This is the one place that knows when it fails and what to do then.
            Directory.Delete(path, recursive: true);
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

    /// <summary>Makes every directory and file below readable and writable for us; links are not followed.</summary>
    public static void MakeAccessible(string path)
    {
        if (!OperatingSystem.IsWindows() && SafeFile.IsRealDirectory(path))
        {
            Run("chmod", "-R", "u+rwX", "--", path);
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
