namespace WorktreePool.Git.Worktree;

/// <summary>File access that never follows a link a holder may have planted, and never leaves a half-written file.</summary>
internal static class SafeFile
{
    /// <summary>Whether something real, not a link, of this kind is there.</summary>
    public static bool IsRealFile(string path) => new FileInfo(path) is { Exists: true, LinkTarget: null };

    /// <summary>Whether a real directory, not a link to one, is there.</summary>
    public static bool IsRealDirectory(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null };

    /// <summary>Whether anything is there, a dangling link included.</summary>
    public static bool Exists(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>The content of a real file; null when there is none or it cannot be read.</summary>
    public static string? TryRead(string path)
    {
        try
        {
            return IsRealFile(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes a sibling and renames it into place; whatever was there, be it a link or a directory, is replaced, not followed.</summary>
    public static void Write(string path, string content)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
                stream.Flush(flushToDisk: true);
            }

            if (IsRealDirectory(path))
            {
                TreeRemoval.Remove(path);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
