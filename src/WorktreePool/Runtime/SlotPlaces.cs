namespace WorktreePool.Runtime;

/// <summary>Refuses to make slots where something of others lies, and to use slots that are not this pool's. Reads only.</summary>
internal static class SlotPlaces
{
    /// <summary>
    /// Refuses records whose slots lie elsewhere or on another machine. A copy of a pool's directory would otherwise hand out the slots of the pool it was
    /// copied from, under locks of its own.
    /// </summary>
    /// <param name="state">What is recorded.</param>
    /// <param name="options">The settings.</param>
    /// <param name="host">This host; null when several share the store, and a record may be another's.</param>
    /// <exception cref="PoolConfigurationException">They are not this pool's.</exception>
    public static void CheckRecords(PoolState state, WorktreePoolOptions options, string? host)
    {
        if (state.Slots.FirstOrDefault(record => host is not null && record.Host != host) is { } foreign)
        {
            throw new PoolConfigurationException(
                $"The slots of the pool in {options.PoolDirectory} are recorded as those of the machine {foreign.Host}, and this one is {host}. Nothing was changed, for who holds them cannot be seen from here. "
                + $"If this is the same machine under a new name, give it the old one back until every slot is released. A pool is used on one machine; make one of its own here, with another directory, or use UsePostgres for several machines.");
        }

        if (state.Slots.FirstOrDefault(record => !IsAt(record, options.SlotsDirectory!)) is { } elsewhere)
        {
            throw new PoolConfigurationException(
                $"{elsewhere.Slot} of the pool in {options.PoolDirectory} is recorded at {elsewhere.Path}, and by the settings slots lie in {options.SlotsDirectory}: the pool's directory was copied or moved, or slotsDirectory was changed. "
                + "Nothing was changed. Move it back; or, for another pool, make one in a new directory with worktree-pool init and delete this copy.");
        }
    }

    /// <summary>Whether a slot lies in a directory under its name. Asked of every slot at every read, so no text is made for it.</summary>
    private static bool IsAt(SlotRecord record, string directory)
    {
        ReadOnlySpan<char> path = record.Path, place = Path.TrimEndingDirectorySeparator(directory.AsSpan());
        return path.Length == place.Length + 1 + record.Slot.Length && path.StartsWith(place, StringComparison.Ordinal) && path[place.Length] == Path.DirectorySeparatorChar
            && path.EndsWith(record.Slot, StringComparison.Ordinal);
    }

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
