using System.Text;
using LibGit2Sharp;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Compares index and files of a slot whose structure is sound with a commit, without starting a process. It answers only where its
/// answer is the one git would give: otherwise it says why it cannot.
/// </summary>
internal sealed class InProcessProbe(string commonDirectory, LiteralKeep keep)
{
    private const uint Submodule = 0xE000;

    private readonly ObjectReader _objects = new(commonDirectory);

    /// <summary>What is wrong with index and files; or why it cannot be told here.</summary>
    /// <param name="slot">The slot's directory.</param>
    /// <param name="admin">Its admin directory.</param>
    /// <param name="commit">The full id of the commit it shall be at.</param>
    /// <param name="cancellation">Ends the read.</param>
    public ContentAnswer Compare(string slot, string admin, string commit, CancellationToken cancellation)
    {
        try
        {
            return CompareCore(slot, Path.Combine(admin, "index"), commit, cancellation);
        }
        catch (Exception e) when (e is LibGit2SharpException or IOException or UnauthorizedAccessException)
        {
            return ContentAnswer.Unable(e.Message);
        }
    }

    private ContentAnswer CompareCore(string slot, string path, string commit, CancellationToken cancellation)
    {
        if (HasAttributesOfItsOwn())
        {
            return ContentAnswer.Unable("the repository's info/attributes may change the bytes of files");
        }

        if (UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is not { IsFile: true } status)
        {
            return new ContentAnswer([new Finding(FindingIds.IndexBroken, "there is no index file")]);
        }

        IndexFile index;
        try
        {
            index = IndexFile.Parse(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            return new ContentAnswer([new Finding(FindingIds.IndexBroken, $"the index cannot be read: {e.Message}")]);
        }

        if (index.IsPartial)
        {
            return new ContentAnswer([new Finding(FindingIds.IndexHidden, "the index is split or sparse")]);
        }

        return WhyNot(index) is { } reason
            ? ContentAnswer.Unable(reason)
            : new ContentAnswer([.. AgainstCommit(index, commit), .. TreeComparison.Run(slot, index.Entries, status.Stamp, keep, cancellation)]);
    }

    private string? WhyNot(IndexFile index)
    {
        foreach (IndexEntry entry in index.Entries)
        {
            if (entry.Mode == Submodule)
            {
                return "there are submodules";
            }

            if (entry.Path.AsSpan().EndsWith(".gitattributes"u8) && !_objects.IsPlainAttributes(entry.Id))
            {
                return $"{UnixFiles.Text(entry.Path)} may change the bytes of files";
            }
        }

        return null;
    }

    private IEnumerable<Finding> AgainstCommit(IndexFile index, string commit)
    {
        int hidden = index.Entries.Count(entry => entry.IsHidden);
        if (hidden > 0)
        {
            yield return new Finding(FindingIds.IndexHidden, $"{hidden} entries are marked assume-unchanged or skip-worktree");
        }

        if (_objects.TreeOf(commit) is not { } tree)
        {
            yield return new Finding(FindingIds.ObjectsMissing, $"there is no commit {commit}");
        }
        else if (index.Entries.Any(entry => entry.Stage != 0 || entry.IsIntentToAdd) || !IndexFile.TreeId(index.Entries).AsSpan().SequenceEqual(tree))
        {
            yield return new Finding(FindingIds.IndexDiffers, $"the index is not the tree of {commit}");
        }
    }

    private bool HasAttributesOfItsOwn()
    {
        string path = Path.Combine(commonDirectory, "info", "attributes");
        return File.Exists(path) && !ObjectReader.IsPlainAttributes(File.ReadAllText(path));
    }
}

/// <summary>What a comparison gave.</summary>
/// <param name="Findings">What is wrong; nothing when there was no answer.</param>
/// <param name="Reason">Why there is no answer; null when there is one.</param>
internal sealed record ContentAnswer(IReadOnlyList<Finding> Findings, string? Reason = null)
{
    public static ContentAnswer Unable(string reason) => new([], reason);
}
