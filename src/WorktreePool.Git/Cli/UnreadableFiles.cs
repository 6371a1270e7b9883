using System.Globalization;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>What a rescue cannot hold, because nobody here may read it or git does not take its name: it is moved beside the slots, not destroyed.</summary>
internal static class UnreadableFiles
{
    /// <summary>Moves files that nobody here may read, and directories that are too deep, beside the slots: a rename needs no right to read.</summary>
    /// <param name="aside">The directory of one rescue.</param>
    /// <param name="tree">The slot.</param>
    /// <param name="files">Their paths in it.</param>
    /// <exception cref="GitBackendException">One cannot be moved; those before it were.</exception>
    public static void MoveTo(string aside, GitWorktree tree, List<string> files)
    {
        try
        {
            foreach (string file in files)
            {
                string to = FreePlace(aside, file);
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                CrashPoint.Reached("directory of kept files made");
                Directory.Move(Path.Combine(tree.Path, file), to);
                CrashPoint.Reached("unreadable file moved aside");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{string.Join(", ", files.Take(3))} in {tree.Path} can be neither read nor moved to {aside}: {e.Message} Nothing was destroyed. Take them out by hand, as the user they belong to.", e);
        }
    }

    /// <summary>
    /// Where a file goes beside the slots. One of the same name may be there already: what cannot be read is no part of a rescue's id, so another occasion
    /// can have the same.
    /// </summary>
    private static string FreePlace(string aside, string file)
    {
        string root = aside;
        for (int number = 2; !IsFree(root); number++)
        {
            root = Path.Combine(aside, number.ToString(CultureInfo.InvariantCulture));
        }

        return Path.Combine(root, file);

        // A file that was moved there before may have the name of a directory now.
        bool IsFree(string root)
        {
            string[] parts = file.Split('/');
            IEnumerable<string> above = Enumerable.Range(0, parts.Length).Select(count => Path.Combine([root, .. parts[..count]]));
            return above.All(directory => !SafeFile.Exists(directory) || SafeFile.IsRealDirectory(directory)) && !SafeFile.Exists(Path.Combine(root, file));
        }
    }
}
