using LibGit2Sharp;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>What a slot's files shall be: the entries of a commit's tree, with what the pool knows about the files already.</summary>
/// <param name="Entries">In the order of git. An entry whose file the pool wrote itself has its status as the stamp; it counts by the rules of an index.</param>
/// <param name="Trees">What they make.</param>
/// <param name="Written">When the index was written that the stamps are from.</param>
/// <param name="From">The commit that index was of; null when nothing is known about files.</param>
/// <param name="Gone">Paths that index has and the commit has not.</param>
internal sealed record Target(IndexEntry[] Entries, IndexTree Trees, FileStamp Written, string? From, IReadOnlyList<byte[]> Gone)
{
    /// <summary>Contents of files that are to be made, by the place of their entry, as far as they were read already.</summary>
    public IReadOnlyDictionary<int, byte[]> Contents { get; init; } = System.Collections.Frozen.FrozenDictionary<int, byte[]>.Empty;

    /// <summary>Reads it: from the trusted index and what has changed since its commit where there is one, or else from the tree.</summary>
    /// <exception cref="GitBackendException">The tree holds what cannot be checked out here.</exception>
    public static Target Read(VerifiedIndexes verified, string slot, string commit, Tree tree, CancellationToken cancellation) =>
        TargetTree.Read(tree, (verified.Find(slot) ?? verified.Read(slot, commit)) is { } known && Array.TrueForAll(known.Index.Entries, IsPlain) ? known : null, cancellation);

    /// <summary>Whether an entry can be in a target. A name that is no UTF-8 cannot: files are made by their names as text.</summary>
    private static bool IsPlain(IndexEntry entry) =>
        entry is { Stage: 0, IsHidden: false, IsIntentToAdd: false, Mode: not IndexEntry.Submodule } && System.Text.Unicode.Utf8.IsValid(entry.Path);
}
