using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Auto;

/// <summary>
/// The default: git by its command line, except that a slot is probed in this process where the answer is provably git's own. That is so
/// in a SHA-1 repository on Linux without filters, keywords, encodings, line ends other than a line feed, and submodules; a slot whose index is split or
/// sparse, or that is damaged, is never ready either way. Whatever else there is, git answers.
/// </summary>
internal sealed class AutoGitBackend(CliGitBackend git, string repositoryPath, IEnumerable<string> keep) : IGitBackend
{
    private readonly InProcessProbe _probe = new(RepositoryLayout.Find(repositoryPath), new KeepPatterns(keep));

    public IRescueArchive Rescues => git.Rescues;

    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) => git.InspectAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => git.TrustAsync(cancellationToken);

    public ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) => git.ExpandAsync(name, cancellationToken);

    public ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) => git.ResolveAsync(reference, cancellationToken);

    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken) => git.FetchAsync(reference, cancellationToken);

    public async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        if (PlainBytes.WhyNot(git.CheckoutSettings) is null)
        {
            // Off the caller's thread: a walk of a large slot takes a tenth of a second, and a dead file system never answers.
            InProcessAnswer answer = await Task.Run(() => _probe.Run(place, target, cancellationToken), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (answer.Probe is { } probe)
            {
                return probe;
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
}
