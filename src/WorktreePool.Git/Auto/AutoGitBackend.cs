using LibGit2Sharp;
using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Auto;

/// <summary>
/// The default: git by its command line, except that a ref is resolved and a slot is probed in this process where the answer is provably git's own. That is so
/// in a SHA-1 repository on Linux without filters, keywords, encodings, line ends other than a line feed, and submodules, in a pool that is not sparse; a slot whose index is split or
/// sparse, or that is damaged, is never ready either way. Whatever else there is, git answers.
/// </summary>
internal sealed class AutoGitBackend(CliGitBackend git, WorktreePoolOptions options) : IGitBackend
{
    private readonly string _commonDirectory = RepositoryLayout.Find(options.RepositoryPath).CommonDirectory;
    private readonly InProcessProbe _probe = new(RepositoryLayout.Find(options.RepositoryPath), new TrustedIndex(options.PoolDirectory), KeepPatterns.Of(options));

    public IRescueArchive Rescues => git.Rescues;

    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) => git.InspectAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => git.TrustAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken) => git.FindDriftAsync(cancellationToken);

    public ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) => git.ExpandAsync(name, cancellationToken);

    public async ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) =>
        await Task.Run(() => ResolveInProcess(reference), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false)
        ?? await git.ResolveAsync(reference, cancellationToken).ConfigureAwait(false);

    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null) => git.FetchAsync(reference, cancellationToken, progress);

    public ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken) => git.ExamineRemotesAsync(reference, cancellationToken);

    public async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        if (options.Sparse.Count == 0 && PlainBytes.WhyNot(git.CheckoutSettings) is null)
        {
            // Off the caller's thread: a walk of a large slot takes a tenth of a second, and a dead file system never answers.
            Task<Finding?> damage = git.ExamineObjectsAsync(target.Commit, cancellationToken).AsTask();
            InProcessAnswer answer = await Task.Run(() => _probe.Run(place, target, cancellationToken), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            Finding? damaged = await damage.ConfigureAwait(false);
            if (answer.Probe is { } probe)
            {
                return damaged is null ? probe : probe with { Findings = [.. probe.Findings, damaged] };
            }
        }

        return await git.ProbeAsync(place, target, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken) =>
        git.RepairAsync(place, commit, level, cancellationToken);

    public ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken) =>
        git.StartBranchAsync(place, branch, commit, cancellationToken);

    public ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken) => git.DeleteBranchAsync(branch, cancellationToken);

    public ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken) => git.EvictAsync(place, cancellationToken);

    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) =>
        git.RescueAsync(place, request, cancellationToken);

    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken) => git.RemoveAsync(place, cancellationToken);

    /// <summary>The commit of a ref that exists and of a kind that is known here; null says nothing, and git is asked.</summary>
    private string? ResolveInProcess(string reference)
    {
        try
        {
            if (!IsPackedRefsWhole())
            {
                return null;
            }

            using ObjectReader objects = ObjectReader.Open(_commonDirectory);
            return objects.Extension is null ? objects.Resolve(reference) : null;
        }
        catch (Exception e) when (e is LibGit2SharpException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Git refuses, and the command line backend then mends, a packed-refs that was cut off in a line; libgit2 finds what is left in it.</summary>
    private bool IsPackedRefsWhole()
    {
        try
        {
            using FileStream file = File.OpenRead(Path.Combine(_commonDirectory, "packed-refs"));
            return file.Length == 0 || (file.Seek(-1, SeekOrigin.End) >= 0 && file.ReadByte() == '\n');
        }
        catch (FileNotFoundException)
        {
            return true;
        }
    }
}
