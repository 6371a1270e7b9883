namespace WorktreePool.Runtime;

/// <summary>
/// Refuses records whose slots lie elsewhere or on another machine. A copy of a pool's directory would otherwise hand out the slots of the pool it was
/// copied from, under locks of its own. A record that was found to be this pool's is not looked at again: from one read to the next most are the same.
/// </summary>
internal sealed class OwnRecords
{
    private volatile IReadOnlyList<SlotRecord> _found = [];

    /// <summary>Refuses them.</summary>
    /// <param name="records">What is recorded.</param>
    /// <param name="options">The settings.</param>
    /// <param name="host">This host; null when several share the store, and a record may be another's.</param>
    /// <exception cref="PoolConfigurationException">They are not this pool's.</exception>
    public void Require(IReadOnlyList<SlotRecord> records, WorktreePoolOptions options, string? host)
    {
        IReadOnlyList<SlotRecord> found = _found;
        for (int at = 0; at < records.Count; at++)
        {
            if (at >= found.Count || !ReferenceEquals(found[at], records[at]))
            {
                Require(records[at], options, host);
            }
        }

        _found = records;
    }

    private static void Require(SlotRecord record, WorktreePoolOptions options, string? host)
    {
        if (host is not null && record.Host != host)
        {
            throw new PoolConfigurationException(
                $"The slots of the pool in {options.PoolDirectory} are recorded as those of the machine {record.Host}, and this one is {host}. Nothing was changed, for who holds them cannot be seen from here. "
                + $"If this is the same machine under a new name, give it the old one back until every slot is released. A pool is used on one machine; make one of its own here, with another directory, or use UsePostgres for several machines.");
        }

        if (!IsAt(record, options.SlotsDirectory!))
        {
            throw new PoolConfigurationException(
                $"{record.Slot} of the pool in {options.PoolDirectory} is recorded at {record.Path}, and by the settings slots lie in {options.SlotsDirectory}: the pool's directory was copied or moved, or slotsDirectory was changed. "
                + "Nothing was changed. Move it back; or, for another pool, make one in a new directory with worktree-pool init and delete this copy.");
        }
    }

    /// <summary>Whether a slot lies in a directory under its name. No text is made for it.</summary>
    private static bool IsAt(SlotRecord record, string directory)
    {
        ReadOnlySpan<char> path = record.Path, place = Path.TrimEndingDirectorySeparator(directory.AsSpan());
        return path.Length == place.Length + 1 + record.Slot.Length && path.StartsWith(place, StringComparison.Ordinal) && path[place.Length] == Path.DirectorySeparatorChar
            && path.EndsWith(record.Slot, StringComparison.Ordinal);
    }
}
