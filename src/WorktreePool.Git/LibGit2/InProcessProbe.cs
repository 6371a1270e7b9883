using System.Security.Cryptography;
using System.Text;
using LibGit2Sharp;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Probes a slot without starting a process: links and HEAD by their files, the index by its own reader, files by an own walk. It answers
/// only where its answer is the one git would give: otherwise it says why it cannot.
/// </summary>
internal sealed class InProcessProbe(RepositoryLayout repository, TrustedIndex trusted, KeepPatterns keep)
{
    private const uint Submodule = 0xE000;
    private const string BranchPrefix = "ref: refs/heads/";

    private readonly AdminDirectory _admin = new(repository, SparseCone.Everything);

    /// <summary>What is wrong with a slot; or why it cannot be told here.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="target">What it shall be.</param>
    /// <param name="cancellation">Ends the read.</param>
    public InProcessAnswer Run(SlotPlace place, SlotTarget target, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!UnixFiles.IsSupported || target.Commit.Length != SHA1.HashSizeInBytes * 2)
        {
            return InProcessAnswer.Unable("the probe in process is made for Linux and for SHA-1");
        }

        try
        {
            using ObjectReader objects = ObjectReader.Open(repository.CommonDirectory);
            return objects.Extension is { } extension
                ? InProcessAnswer.Unable($"the repository uses {extension}")
                : RunCore(objects, place, target, cancellation);
        }
        catch (Exception e) when (e is LibGit2SharpException or IOException or UnauthorizedAccessException)
        {
            return InProcessAnswer.Unable(e.Message);
        }
    }

    private InProcessAnswer RunCore(ObjectReader objects, SlotPlace place, SlotTarget target, CancellationToken cancellation)
    {
        string admin = _admin.NameFor(place);
        List<Finding> findings = _admin.Examine(place, admin);
        if (findings.Exists(finding => finding.Id is not (FindingIds.LockStale or FindingIds.AdminResidue)))
        {
            return new InProcessAnswer(new SlotProbe(findings, null, admin));
        }

        string? head = ExamineHead(objects, admin, target, findings);
        return CompareContent(objects, place, admin, target.Commit, findings, cancellation) is { } reason
            ? InProcessAnswer.Unable(reason)
            : new InProcessAnswer(new SlotProbe(findings, head, admin));
    }

    private string? ExamineHead(ObjectReader objects, string admin, SlotTarget target, List<Finding> findings)
    {
        string? head = _admin.ReadHead(admin);
        string? branch = head?.StartsWith(BranchPrefix, StringComparison.Ordinal) == true ? head[BranchPrefix.Length..] : null;
        string? commit = head is null ? null : branch is null ? FullId(head) : objects.Resolve("refs/heads/" + branch);
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
    private string? CompareContent(ObjectReader objects, SlotPlace place, string admin, string commit, List<Finding> findings, CancellationToken cancellation)
    {
        string path = Path.Combine(_admin.PathOf(admin), "index");
        if (UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is not { IsFile: true })
        {
            findings.Add(new Finding(FindingIds.IndexBroken, "there is no index file"));
            return null;
        }

        IndexFile index;
        byte[] bytes;
        try
        {
            index = IndexFile.Parse(bytes = File.ReadAllBytes(path));
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

        if (WhyNot(objects, index) is { } reason)
        {
            return reason;
        }

        if (Directory.Exists(Path.Combine(_admin.PathOf(admin), "modules")))
        {
            return "there were submodules";
        }

        // Hashing the index and walking the files have nothing to do with each other.
        Task<byte[]> treeId = Task.Run(() => IndexFile.TreeId(index.Entries), CancellationToken.None);
        IEnumerable<Finding> inFiles = ReadTrusted(place.Slot, commit, index, bytes) is { } known
            ? TreeComparison.Run(place.Path, known.Index.Entries, known.Written, keep, cancellation).ToFindings()
            : [new Finding(FindingIds.IndexUntrusted, "the pool knows no index of its own for these files, so each must be compared")];
        findings.AddRange(AgainstCommit(objects, index, treeId.GetAwaiter().GetResult(), commit));
        findings.AddRange(inFiles);
        return null;
    }

    /// <summary>The index that tells which files are unchanged, and when it was written; null when there is none, or none that can be read.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="commit">The commit it shall be at.</param>
    /// <param name="own">The slot's own index. In a slot that nobody worked in the trusted one is the same, and need not be parsed again.</param>
    /// <param name="ownBytes">The slot's own index as it lies there.</param>
    private (IndexFile Index, FileStamp Written)? ReadTrusted(string slot, string commit, IndexFile own, byte[] ownBytes)
    {
        string? path = trusted.Find(slot, commit) ?? trusted.FindAny(slot);
        if (path is null || UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is not { } status)
        {
            return null;
        }

        try
        {
            IndexFile index = HasContent(path, ownBytes) ? own : IndexFile.Parse(File.ReadAllBytes(path));

            // Only the entries of a whole index are in order.
            return index.IsPartial ? null : (index, status.Stamp);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static bool HasContent(string path, ReadOnlySpan<byte> content)
    {
        using FileStream file = File.OpenRead(path);
        if (file.Length != content.Length)
        {
            return false;
        }

        byte[] block = new byte[1 << 16];
        while (content.Length > 0)
        {
            int read = file.Read(block);
            if (read == 0 || read > content.Length || !block.AsSpan(0, read).SequenceEqual(content[..read]))
            {
                return false;
            }

            content = content[read..];
        }

        return true;
    }

    private static string? WhyNot(ObjectReader objects, IndexFile index)
    {
        foreach (IndexEntry entry in index.Entries)
        {
            if (entry.Mode == Submodule)
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

    private static IEnumerable<Finding> AgainstCommit(ObjectReader objects, IndexFile index, byte[] treeId, string commit)
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
        else if (index.Entries.Any(entry => entry.Stage != 0 || entry.IsIntentToAdd) || !treeId.AsSpan().SequenceEqual(tree.Id.RawId))
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
