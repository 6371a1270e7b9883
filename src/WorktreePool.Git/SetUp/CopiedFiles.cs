using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.SetUp;

/// <summary>
/// Copies files from the main checkout into a slot and takes them out again. Written in place, not beside it: a crash leaves half a file under a name that
/// is recorded, never a secret under one that is not.
/// </summary>
internal sealed class CopiedFiles(string repositoryPath)
{
    private string MainCheckout => Path.GetFileName(repositoryPath) == ".git" ? Path.GetDirectoryName(repositoryPath)! : repositoryPath;

    public async ValueTask CopyAsync(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        foreach (string file in files)
        {
            string source = Path.Combine(MainCheckout, file.TrimStart('/'));
            string target = Path.Combine(place.Path, file.TrimStart('/'));
            if (!IsReached(MainCheckout, file) || !SafeFile.IsRealFile(source))
            {
                throw new SetUpFailedException($"Copy names \"{file}\", but {source} is no regular file reached through real directories. It was not copied to {place.Slot}. Make the file, or take it out of Copy.");
            }

            try
            {
                MakeDirectories(place, file);
                if (SafeFile.Exists(target))
                {
                    throw new SetUpFailedException($"Copy names \"{file}\", but {place.Slot} has something there already: git tracks it, or a keep pattern covers it. Take it out of Copy.");
                }

                await CopyAsync(source, target, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new SetUpFailedException($"\"{file}\" could not be copied from {source} to {place.Slot}: {e.Message}", e);
            }
        }
    }

    public static void Remove(SlotPlace place, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        foreach (string file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string path = Path.Combine(place.Path, file.TrimStart('/'));
            if (!IsReached(place.Path, file) || !SafeFile.Exists(path) || SafeFile.IsRealDirectory(path))
            {
                continue;
            }

            TreeRemoval.Remove(path);
            for (string parent = Path.GetDirectoryName(path)!; parent != place.Path && !Directory.EnumerateFileSystemEntries(parent).Any(); parent = Path.GetDirectoryName(parent)!)
            {
                TreeRemoval.Remove(parent);
            }
        }
    }

    private static async ValueTask CopyAsync(string source, string target, CancellationToken cancellationToken)
    {
        using FileStream from = UnixFiles.IsSupported && Encoding.UTF8.GetBytes(source) is var bytes && UnixFiles.Status(bytes) is { } status
            ? new FileStream(UnixFiles.OpenRead(bytes, status), FileAccess.Read)
            : File.OpenRead(source);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            // Nobody else's until it has the mode of the original.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var to = new FileStream(target, options);
        CrashPoint.Reached("copied file begun");
        await from.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(to.SafeFileHandle, File.GetUnixFileMode(from.SafeFileHandle));
        }

        CrashPoint.Reached("copied file written");
    }

    /// <summary>Whether each directory on the way is a real one, or is not there.</summary>
    private static bool IsReached(string root, string file) => Directories(root, file).All(directory => SafeFile.IsRealDirectory(directory) || !SafeFile.Exists(directory));

    private static void MakeDirectories(SlotPlace place, string file)
    {
        foreach (string directory in Directories(place.Path, file).Where(directory => !SafeFile.IsRealDirectory(directory)))
        {
            if (SafeFile.Exists(directory))
            {
                throw new SetUpFailedException($"Copy names \"{file}\", but {directory} is no directory. It was not copied to {place.Slot}. Take it out of Copy.");
            }

            Directory.CreateDirectory(directory);
            CrashPoint.Reached("directory of copied file made");
        }
    }

    private static IEnumerable<string> Directories(string root, string file)
    {
        string[] parts = file.Trim('/').Split('/');
        return Enumerable.Range(1, parts.Length - 1).Select(count => Path.Combine([root, .. parts.Take(count)]));
    }
}
