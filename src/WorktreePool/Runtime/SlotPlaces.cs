namespace WorktreePool.Runtime;

/// <summary>Refuses to make slots where something of others lies. Reads only.</summary>
internal static class SlotPlaces
{
    /// <summary>Checks.</summary>
    /// <param name="directory">The slots directory.</param>
    /// <param name="missing">The slots that are to be made.</param>
    /// <param name="isNewPool">Whether the pool has no slot yet: then the directory must be empty.</param>
    /// <exception cref="PoolConfigurationException">The directory belongs to something else.</exception>
    public static void Check(string directory, IReadOnlyCollection<string> missing, bool isNewPool)
    {
        if (missing.Count == 0)
        {
            return;
        }

        try
        {
            if (File.Exists(directory))
            {
                throw new PoolConfigurationException($"The slots directory {directory} is a file. Nothing was changed. Set SlotsDirectory to a new or empty directory.");
            }

            if (isNewPool && Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).FirstOrDefault() is { } entry)
            {
                throw new PoolConfigurationException($"The slots directory {directory} is not empty: it holds {Path.GetFileName(entry)}. Nothing was changed. Set SlotsDirectory to a new or empty directory.");
            }

            foreach (string slot in missing.Where(slot => Path.Exists(Path.Combine(directory, slot))))
            {
                throw new PoolConfigurationException($"{Path.Combine(directory, slot)} exists, but is no slot of this pool. Nothing was changed. Move it away, or set SlotsDirectory to another directory.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PoolConfigurationException($"The slots directory {directory} cannot be read: {e.Message} Nothing was changed.");
        }

        // A ".git" file marks a linked worktree or a submodule: a clean of that one would delete our slots.
        for (string? parent = Path.GetFullPath(directory); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            if (File.Exists(Path.Combine(parent, ".git")))
            {
                throw new PoolConfigurationException($"The slots directory {directory} lies inside the worktree {parent}, which belongs to another tool. Nothing was changed. Set SlotsDirectory to a directory outside of it.");
            }
        }
    }
}
