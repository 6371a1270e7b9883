namespace WorktreePool.Git.Worktree;

/// <summary>
/// Tells which paths below a directory are its own. What is reached through a link is somebody else's, wherever the link leads: it is neither
/// kept nor changed, and nothing there is opened. Each directory is looked at once.
/// </summary>
internal sealed class RealPaths(string root)
{
    private readonly Dictionary<string, bool> _known = new(StringComparer.Ordinal) { [""] = true };

    /// <summary>Whether a directory, all between it and one above it, and that one itself, are real ones.</summary>
    /// <param name="root">The one above.</param>
    /// <param name="directory">The directory.</param>
    public static bool IsIn(string root, string directory) => SafeFile.IsRealDirectory(root) && new RealPaths(root).IsDirectory(Path.GetRelativePath(root, directory));

    /// <summary>Whether every directory above a path is a real one; what is at the path itself does not matter.</summary>
    /// <param name="path">Relative to the root.</param>
    public bool IsOwn(string path) => IsDirectory(Path.GetDirectoryName(path) ?? "");

    /// <summary>Whether a path, and everything above it, is a real directory.</summary>
    /// <param name="path">Relative to the root.</param>
    public bool IsDirectory(string path) => _known.TryGetValue(path, out bool known)
        ? known
        : _known[path] = IsOwn(path) && SafeFile.IsRealDirectory(Path.Combine(root, path));
}
