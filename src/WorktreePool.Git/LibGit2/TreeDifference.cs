using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>How a slot's files differ from an index or a tree.</summary>
/// <param name="Entries">What was compared with.</param>
/// <param name="Equal">For each entry the status of its file when that is as it shall be; null when it differs or is missing.</param>
/// <param name="Untracked">Paths that are in no entry, the highest only.</param>
/// <param name="Closed">Directories that their owner cannot read, write, and search, or that lend or restrict rights; empty for the slot itself.</param>
/// <param name="Young">The entries whose files have the status in the index, but were as young as it, and were read: they are equal.</param>
internal sealed record TreeDifference(IndexEntry[] Entries, FileStamp?[] Equal, IReadOnlyList<byte[]> Untracked, IReadOnlyList<byte[]> Closed, IReadOnlyCollection<int> Young)
{
    private const int Shown = 5;

    /// <summary>The entries whose files are not as they shall be.</summary>
    public IEnumerable<int> Differing => Enumerable.Range(0, Entries.Length).Where(at => Equal[at] is null);

    public IEnumerable<Finding> ToFindings()
    {
        foreach ((string id, List<byte[]> paths) in new (string, List<byte[]>)[]
        {
            (FindingIds.TreeDiffers, [.. Differing.Select(at => Entries[at].Path)]),
            (FindingIds.Untracked, [.. Untracked]),
            (FindingIds.NotWritable, [.. Closed]),
        })
        {
            if (paths.Count > 0)
            {
                yield return FindingOf(id, paths);
            }
        }
    }

    /// <summary>A finding that names some of the paths it is about.</summary>
    public static Finding FindingOf(string id, IReadOnlyCollection<byte[]> paths)
    {
        string first = string.Join(", ", paths.Take(Shown).Select(path => path.Length == 0 ? "." : UnixFiles.Text(path)));
        return new Finding(id, paths.Count > Shown ? $"{first} and {paths.Count - Shown} more" : first);
    }
}
