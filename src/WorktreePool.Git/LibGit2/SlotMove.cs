using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// What a reset in this process did to a slot that was ready where it was: whoever has held the slot's working lock ever since knows the slot by it, without another
/// look at the files that it did not touch.
/// </summary>
/// <param name="From">The commit where the slot was ready.</param>
/// <param name="Commit">The commit where it was brought.</param>
/// <param name="Admin">The name of its admin directory.</param>
/// <param name="Index">The status of its index, which is the commit's tree.</param>
/// <param name="Made">The files that were made.</param>
/// <param name="Gone">The paths that were removed.</param>
internal sealed record SlotMove(string From, string Commit, string Admin, FileStamp Index, IReadOnlyList<IndexEntry> Made, IReadOnlyList<byte[]> Gone)
{
    /// <summary>What is not as the reset left it.</summary>
    /// <param name="slot">The slot's directory.</param>
    public IEnumerable<Finding> Examine(string slot)
    {
        byte[][] differing = [.. Made.Where(file => !IsAsMade(slot, file)).Select(file => file.Path)];
        if (differing.Length > 0)
        {
            yield return TreeDifference.FindingOf(FindingIds.TreeDiffers, differing);
        }

        byte[][] back = [.. Gone.Where(path => StatusOf(slot, path) is { IsDirectory: false })];
        if (back.Length > 0)
        {
            yield return TreeDifference.FindingOf(FindingIds.Untracked, back);
        }
    }

    private static bool IsAsMade(string slot, IndexEntry file) =>
        StatusOf(slot, file.Path) is { } status && status.Stamp.IsSame(file.Stamp) && (status.IsLink || (status.IsFile && status.IsOrdinaryFile));

    private static FileStatus? StatusOf(string slot, byte[] path) => UnixFiles.Status([.. System.Text.Encoding.UTF8.GetBytes(slot), (byte)'/', .. path]);
}
