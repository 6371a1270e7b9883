using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>The backend on the git command line: works with every repository git works with.</summary>
internal sealed class CliGitBackend : IGitBackend
{
    private readonly TimeProvider _time;
    private readonly Baseline _baseline;
    private readonly RepositoryInspector _inspector;
    private readonly RepositoryRefs _refs;
    private readonly RemoteFetcher _fetcher;
    private readonly AdminDirectory _admins;
    private readonly SlotProber _prober;
    private readonly SlotRepairer _repairer;
    private readonly RescueMaker _rescuer;

    public CliGitBackend(string repositoryPath, string poolDirectory, IEnumerable<string> keep, TimeProvider time)
    {
        RepositoryLayout repository = RepositoryLayout.Find(repositoryPath);
        var git = new GitRunner();
        var keepPatterns = new KeepPatterns(keep);
        _time = time;
        _baseline = new Baseline(repository, poolDirectory, git);
        var neutral = new NeutralDirectory(repository, poolDirectory, _baseline);
        _admins = new AdminDirectory(repository);
        var slots = new SlotGit(_admins, neutral, git);
        _refs = new RepositoryRefs(repository, _baseline, git);
        _inspector = new RepositoryInspector(repository, _baseline, _refs);
        _fetcher = new RemoteFetcher(repository, _baseline, neutral, _refs, git);
        _prober = new SlotProber(_admins, slots, _refs, keepPatterns);
        _repairer = new SlotRepairer(_admins, slots, _prober, keepPatterns);
        _rescuer = new RescueMaker(repository, _admins, slots, _refs);
        Rescues = new RescueArchive(_refs);
    }

    public IRescueArchive Rescues { get; }

    /// <summary>The trusted settings that change what a checkout writes.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> CheckoutSettings => _baseline.Current.Checkout;

    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) => _inspector.InspectAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => _baseline.TakeAsync(cancellationToken);

    public async ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) =>
        await _inspector.ExpandAsync(name, cancellationToken).ConfigureAwait(false)
        ?? throw new BaseNotFoundException($"The base \"{name}\" names no commit in the repository. No slot was changed. Fetch it, or give a ref that exists.");

    public ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) => _refs.ResolveAsync(reference, cancellationToken);

    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken) => _fetcher.FetchAsync(reference, cancellationToken);

    public ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken) =>
        _prober.ProbeAsync(place, target, cancellationToken);

    public ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken) =>
        _repairer.RepairAsync(place, commit, level, cancellationToken);

    public async ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken)
    {
        await _refs.CheckBranchNameAsync(branch, cancellationToken).ConfigureAwait(false);
        if (!await _refs.TryCreateAsync($"refs/heads/{branch}", commit, cancellationToken).ConfigureAwait(false))
        {
            throw new BranchExistsException($"Branch \"{branch}\" exists already at another commit and was left as it is. {place.Slot} was not put on it. Choose another name, or delete it.");
        }

        _admins.WriteHead(_admins.NameFor(place), $"ref: refs/heads/{branch}");
    }

    public ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken) => _refs.DeleteAsync($"refs/heads/{branch}", cancellationToken);

    public ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken) => OrphanedGit.EndAsync(place.Path, _time, cancellationToken);

    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) =>
        _rescuer.RescueAsync(place, request, cancellationToken);

    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _repairer.Remove(place);
        return ValueTask.CompletedTask;
    }
}
