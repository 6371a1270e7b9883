namespace WorktreePool.Git.Worktree;

/// <summary>Packs that git has made elsewhere, where what it leaves when it fails or is killed is in nobody's way.</summary>
internal static class PackFiles
{
    /// <summary>Puts them in, on the disk, the index of each last: a pack without one does not count.</summary>
    /// <param name="from">Where they are, with whatever else a git that failed has left there.</param>
    /// <param name="packs">The repository's directory of packs.</param>
    public static void TakeOver(string from, string packs)
    {
        Directory.CreateDirectory(packs);
        CrashPoint.Reached("pack directory made");
        foreach (string file in Directory.EnumerateFiles(from, "pack-*").OrderBy(file => file.EndsWith(".idx", StringComparison.Ordinal)))
        {
            string taken = Path.Combine(packs, Path.GetFileName(file));
            File.Move(file, taken, overwrite: true);
            CrashPoint.Reached($"new {Path.GetExtension(file)} in place");

            // From another file system it was copied.
            SafeFile.TryFlush(taken);
        }

        DirectorySync.Flush(packs);
    }
}
