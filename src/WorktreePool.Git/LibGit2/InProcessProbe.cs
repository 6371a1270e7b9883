using System.Security.Cryptography;
using System.Text;
using LibGit2Sharp;
using Microsoft.Win32.SafeHandles;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Probes a slot without starting a process: links and HEAD by their files, the index by its own reader, files by an own walk. It answers
/// only where its answer is the one git would give: otherwise it says why it cannot.
/// </summary>
internal sealed class InProcessProbe(RepositoryLayout repository, TrustedIndex trusted, VerifiedIndexes verified, KeepPatterns keep, WatchedSlots? watches = null)
{
    private const string BranchPrefix = "ref: refs/heads/";

    private readonly AdminDirectory _admin = new(repository, SparseCone.Everything);

    /// <summary>What is wrong with a slot; or why it cannot be told here.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="target">What it shall be.</param>
    /// <param name="cancellation">Ends the read.</param>
    /// <param name="move">What this process has done to the slot since it was ready at <see cref="SlotTarget.MovedFrom"/>; null: not known.</param>
    public InProcessAnswer Run(SlotPlace place, SlotTarget target, CancellationToken cancellation, SlotMove? move = null)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!UnixFiles.IsSupported || target.Commit.Length != SHA1.HashSizeInBytes * 2)
        {
            return InProcessAnswer.Unable("the probe in process is made for Linux and for SHA-1");
        }

        try
        {
            using var objects = new LazyObjects(repository.CommonDirectory);
            return RunCore(objects, place, target, move, cancellation);
        }
        catch (Exception e) when (e is LibGit2SharpException or GitBackendException or IOException or UnauthorizedAccessException)
        {
            return InProcessAnswer.Unable(e.Message);
        }
    }

    private InProcessAnswer RunCore(LazyObjects objects, SlotPlace place, SlotTarget target, SlotMove? move, CancellationToken cancellation)
    {
        string admin = _admin.NameFor(place);
        List<Finding> findings = _admin.Examine(place, admin);
        if (findings.Exists(finding => finding.Id is not (FindingIds.LockStale or FindingIds.AdminResidue)))
        {
            return new InProcessAnswer(new SlotProbe(findings, null, admin));
        }

        string? head = ExamineHead(objects, admin, target, findings);
        if (Directory.Exists(Path.Combine(_admin.PathOf(admin), "modules")))
        {
            return InProcessAnswer.Unable("there were submodules");
        }

        if (target.Watch == WatchUse.Trust && watches?.TakeUnchanged(place, target.Commit, admin) == true && trusted.Find(place.Slot, target.Commit) is not null)
        {
            return new InProcessAnswer(new SlotProbe(findings, head, admin) { IsFromWatch = true });
        }

        // A watch sees no mounts either, but looks for them itself.
        if (Mounts.Find(place, keep) is { } mount)
        {
            return new InProcessAnswer(new SlotProbe([.. findings, mount], head, admin));
        }

        if (move is not null && target.Watch != WatchUse.Begin && IsAllThatHappened(move, target, place.Slot, admin))
        {
            return new InProcessAnswer(new SlotProbe([.. findings, .. move.Examine(place.Path)], head, admin));
        }

        (SlotWatch? watch, string? whyNot) = target.Watch == WatchUse.Begin && watches is not null ? TryWatch(watches, place, target.Commit, admin) : default;
        bool isKept = false;
        try
        {
            if (CompareContent(objects, place, admin, target.Commit, findings, watch, cancellation) is { } reason)
            {
                return InProcessAnswer.Unable(reason);
            }

            if (watch is not null && findings.Count == 0)
            {
                whyNot = watches!.Keep(place, target.Commit, admin, watch);
                isKept = true;
            }
            else if (findings.Count > 0)
            {
                // Whatever a watch over it says.
                watches?.Drop(place.Slot);
            }

            return new InProcessAnswer(new SlotProbe(findings, head, admin) { WhyNotWatched = whyNot });
        }
        finally
        {
            if (watch is not null && !isKept)
            {
                WatchedSlots.End(watch);
            }
        }
    }

    /// <summary>Whether the slot is what it was before a move, but for what the move did.</summary>
    private bool IsAllThatHappened(SlotMove move, SlotTarget target, string slot, string admin) =>
        move.From == target.MovedFrom && move.Commit == target.Commit && move.Admin == admin && trusted.Find(slot, target.Commit) is not null
        && UnixFiles.Status(Encoding.UTF8.GetBytes(Path.Combine(_admin.PathOf(admin), "index"))) is { IsFile: true } index && index.Stamp == move.Index;

    private static (SlotWatch? Watch, string? WhyNot) TryWatch(WatchedSlots watches, SlotPlace place, string commit, string admin)
    {
        try
        {
            return (watches.Begin(place, commit, admin), null);
        }
        catch (IOException e)
        {
            return (null, e.Message);
        }
    }

    private string? ExamineHead(LazyObjects objects, string admin, SlotTarget target, List<Finding> findings)
    {
        string? head = _admin.ReadHead(admin);
        string? branch = head?.StartsWith(BranchPrefix, StringComparison.Ordinal) == true ? head[BranchPrefix.Length..] : null;
        string? commit = head is null ? null : branch is null ? FullId(head) : objects.Value.Resolve("refs/heads/" + branch);
        if (branch != target.Branch)
        {
            findings.Add(new Finding(FindingIds.OnBranch, branch is null ? $"HEAD is detached, not on {target.Branch}" : $"HEAD is on {branch}"));
        }

        if (commit is null)
        {
            findings.Add(new Finding(FindingIds.HeadBroken, head is null ? "HEAD cannot be read" : $"HEAD is \"{head}\", which is no commit"));
        }
        else if (commit != target.Commit)
        {
            findings.Add(new Finding(FindingIds.WrongCommit, $"HEAD is {commit}, not {target.Commit}"));
        }

        return commit;
    }

    /// <summary>Adds what is wrong with index and files; or says why that cannot be told.</summary>
    private string? CompareContent(LazyObjects lazy, SlotPlace place, string admin, string commit, List<Finding> findings, SlotWatch? watch, CancellationToken cancellation)
    {
        string path = Path.Combine(_admin.PathOf(admin), "index");
        if (UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is not { IsFile: true } status)
        {
            findings.Add(new Finding(FindingIds.IndexBroken, "there is no index file"));
            return null;
        }

        watch?.AddIndex(Encoding.UTF8.GetBytes(path), status);

        // Byte for byte what this process knows: nothing but the files is left to look at.
        if (verified.Find(place.Slot) is { } recalled && recalled.Commit == commit && recalled.Index.IsAt(path))
        {
            TreeDifference difference = TreeComparison.Run(place.Path, recalled.Index.Entries, recalled.Written, keep, cancellation, watch, recalled.Proven, verified.DirectoriesOf(place.Slot));
            verified.Prove(place.Slot, recalled, difference.Young);
            findings.AddRange(difference.ToFindings());
            return null;
        }

        IndexFile index;
        try
        {
            index = IndexFile.Parse(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            findings.Add(new Finding(FindingIds.IndexBroken, $"the index cannot be read: {e.Message}"));
            return null;
        }

        if (index.IsPartial)
        {
            findings.Add(new Finding(FindingIds.IndexHidden, "the index is split or sparse"));
            return null;
        }

        ObjectReader objects = lazy.Value;
        if (WhyNot(objects, index) is { } reason)
        {
            return reason;
        }

        // Hashing the index and walking the files have nothing to do with each other.
        Task<IndexTree> trees = Task.Run(() => index.Trees, CancellationToken.None);
        VerifiedIndex? trustedIndex = verified.Read(place.Slot, commit, index);
        IEnumerable<Finding> inFiles = trustedIndex is { } known
            ? TreeComparison.Run(place.Path, known.Index.Entries, known.Written, keep, cancellation, watch, seen: verified.DirectoriesOf(place.Slot)).ToFindings()
            : [new Finding(FindingIds.IndexUntrusted, "the pool knows no index of its own for these files, so each must be compared")];
        _ = trees.GetAwaiter().GetResult();
        List<Finding> inIndex = [.. AgainstCommit(objects, index, commit, cancellation)];
        if (inIndex.Count == 0 && trustedIndex?.Commit == commit && ReferenceEquals(trustedIndex.Index, index))
        {
            verified.Keep(place.Slot, trustedIndex);
        }

        findings.AddRange(inIndex);
        findings.AddRange(inFiles);
        return null;
    }

    private static string? WhyNot(ObjectReader objects, IndexFile index)
    {
        foreach (IndexEntry entry in index.Entries)
        {
            if (entry.Mode == IndexEntry.Submodule)
            {
                return "there are submodules";
            }

            if (entry.Path.AsSpan().EndsWith(".gitattributes"u8) && !objects.IsPlainAttributes(entry.Id))
            {
                return $"{UnixFiles.Text(entry.Path)} may change the bytes of files";
            }
        }

        return null;
    }

    private static IEnumerable<Finding> AgainstCommit(ObjectReader objects, IndexFile index, string commit, CancellationToken cancellation)
    {
        int hidden = index.Entries.Count(entry => entry.IsHidden);
        if (hidden > 0)
        {
            yield return new Finding(FindingIds.IndexHidden, $"{hidden} entries are marked assume-unchanged or skip-worktree");
        }

        if (objects.TreeOf(commit) is not { } tree)
        {
            yield return new Finding(FindingIds.ObjectsMissing, $"there is no commit {commit}");
        }
        else if (Array.Exists(index.Entries, entry => entry.Stage != 0 || entry.IsIntentToAdd) || !TargetTree.IsIn(tree, index, cancellation))
        {
            yield return new Finding(FindingIds.IndexDiffers, $"the index is not the tree of {commit}");
        }
    }

    private static string? FullId(string head) => head.Length == 40 && head.All(char.IsAsciiHexDigitLower) ? head : null;
}

/// <summary>What a probe in process gave.</summary>
/// <param name="Probe">The answer; null when there is none.</param>
/// <param name="Reason">Why there is none.</param>
internal sealed record InProcessAnswer(SlotProbe? Probe, string? Reason = null)
{
    public static InProcessAnswer Unable(string reason) => new(null, reason);
}
