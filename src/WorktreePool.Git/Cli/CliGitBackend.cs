using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>The backend on the git command line: works with every repository git works with.</summary>
internal sealed class CliGitBackend : IGitBackend
{
    private readonly TimeProvider _time;
    private readonly bool _isToWatch;
    private readonly Baseline _baseline;
    private readonly RepositoryInspector _inspector;
    private readonly RepositoryRefs _refs;
    private readonly RemoteFetcher _fetcher;
    private readonly FetchLock _fetching;
    private readonly RemoteExaminer _remotes;
    private readonly AdminDirectory _admins;
    private readonly ObjectStore _objects;
    private readonly SlotProber _prober;
    private readonly SlotRepairer _repairer;
    private readonly RescueMaker _rescuer;

    /// <summary>The clock it goes by.</summary>
    public TimeProvider Time => _time;

    public CliGitBackend(WorktreePoolOptions options, TimeProvider time)
    {
        RepositoryLayout repository = RepositoryLayout.Of(options);
        string poolDirectory = options.PoolDirectory;
        string slotsDirectory = options.SlotsDirectory ?? Path.Combine(poolDirectory, "slots");
        var git = new GitRunner();
        var keepPatterns = KeepPatterns.Of(options);
        (_time, _isToWatch) = (time, options.WatchSlots);
        var sparse = new SparseCone(options.Sparse);
        var remote = new RemoteRefs(repository, options, time, git);
        IsolatedOrigin? origin = options.Isolated ? new IsolatedOrigin(options, remote, git) : null;
        KnownRefs? known = options.Isolated ? new KnownRefs(poolDirectory) : null;
        _baseline = new Baseline(repository, poolDirectory, slotsDirectory, git, sparse, origin);
        if (!options.Isolated)
        {
            _baseline.RefuseOtherKind();
        }

        var trusted = new TrustedIndex(poolDirectory);
        var neutral = new NeutralDirectory(poolDirectory, _baseline, trusted);
        _admins = new AdminDirectory(repository, sparse);
        var slots = new WorktreeGit(repository, _admins, neutral, git, sparse);
        _refs = new RepositoryRefs(repository, _baseline, new StaleLocks(repository, [slotsDirectory, Path.GetDirectoryName(repository.CommonDirectory)!], time), git);
        _inspector = new RepositoryInspector(repository, slotsDirectory, _baseline, _refs, new Shortcuts(repository, _baseline, _refs, time), sparse, known);
        _fetching = new FetchLock(repository, time);
        _fetcher = new RemoteFetcher(repository, _baseline, neutral, _refs, _fetching, known, git);
        _remotes = new RemoteExaminer(repository, _baseline, neutral, _refs, git);
        var contents = new WorktreeProber(slots, trusted, keepPatterns);
        var submoduleContents = new WorktreeProber(slots, trusted, KeepPatterns.None);
        var submodules = new Submodules(
            _baseline, new SubmoduleStore(repository, origin is null ? repository.CommonDirectory : origin.TryFindClone()?.CommonDirectory, _baseline, neutral, git), slots, submoduleContents, new WorktreeMaker(_baseline, slots, submoduleContents, trusted, KeepPatterns.None));
        _objects = new ObjectStore(repository, _baseline, neutral, new ObjectWitness(repository, poolDirectory), git);
        _prober = new SlotProber(_admins, slots, contents, submodules, _objects, _refs, keepPatterns);
        _repairer = new SlotRepairer(_admins, slots, new WorktreeMaker(_baseline, slots, contents, trusted, keepPatterns), submodules, _objects, trusted, keepPatterns);
        var snapshot = new FileSnapshot(slots, options.RescueLimit);
        KeptCommits? kept = known is null ? null : new KeptCommits(repository, _baseline, neutral, known, remote, git);
        var durable = new DurableObjects(repository, neutral, git);
        _rescuer = new RescueMaker(_admins, slots, _refs, trusted, snapshot, new EmbeddedRescuer(repository, slots, neutral, git, snapshot), durable, _objects, kept, KeepPatterns.MadeBySteps(options));
        IsolatedRepository? isolated = origin is null ? null : Isolate(options, repository, known!, new StrayRescuer(repository, neutral, _refs, durable, kept!, git), remote, git);
        Isolated = isolated;
        Rescues = new RescueArchive(_refs, isolated is null ? null : new RescueReturn(repository, isolated, origin!, known!, git));
    }

    public IRescueArchive Rescues { get; }

    public IIsolatedRepository? Isolated { get; }

    /// <summary>The trusted settings that change what a checkout writes.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> CheckoutSettings => _baseline.Current.Checkout;

    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) => _inspector.InspectAsync(cancellationToken);

    /// <summary>Whether a commit is known to be one, and there: it need not be looked up.</summary>
    public bool IsKnown(string commit) => _objects.IsKnown(commit);

    /// <summary>What is wrong with a commit's objects, for backends that look for themselves at all else; null when it is whole.</summary>
    public ValueTask<Finding?> ExamineObjectsAsync(string commit, CancellationToken cancellationToken) => _objects.ExamineAsync(commit, cancellationToken);

    /// <summary>Gets a damaged commit anew; see <see cref="ObjectStore.RepairAsync"/>.</summary>
    public ValueTask RepairObjectsAsync(string commit, CancellationToken cancellationToken) => _objects.RepairAsync(commit, cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => _baseline.TakeAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_baseline.Compare());

    public async ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) =>
        await _inspector.ExpandAsync(name, cancellationToken).ConfigureAwait(false)
        ?? throw new BaseNotFoundException($"The base \"{name}\" names no commit in the repository. No slot was changed. Fetch it, or give a ref that exists.");

    public ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) => _refs.ResolveAsync(reference, cancellationToken);

    public async ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null)
    {
        using IDisposable turn = await _fetching.TakeAsync(cancellationToken).ConfigureAwait(false);

        // What is damaged stops the very fetch that would bring it anew, or is hidden by it: what else was in it is somebody's, too.
        if (_objects.SetRubbishAside())
        {
            await _objects.RefetchAsync(cancellationToken).ConfigureAwait(false);
        }

        return await _fetcher.FetchAsync(reference, progress, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken) => _remotes.ExamineAsync(reference, cancellationToken);

    public async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        SlotProbe probe = await _prober.ProbeAsync(place, target, cancellationToken).ConfigureAwait(false);
        return _isToWatch && target.Watch == WatchUse.Begin ? probe with { WhyNotWatched = "git reads it, and not this process" } : probe;
    }

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

    public async ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken)
    {
        await OrphanedGit.EndAsync(place.Path, _time, cancellationToken).ConfigureAwait(false);
        _admins.Sweep(place);
        SlotRepairer.RemoveTrash(place);
    }

    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) =>
        _rescuer.RescueAsync(place, request, cancellationToken);

    private IsolatedRepository Isolate(WorktreePoolOptions options, RepositoryLayout repository, KnownRefs known, StrayRescuer rescuer, RemoteRefs remote, GitRunner git)
    {
        string slots = options.SlotsDirectory ?? Path.Combine(options.PoolDirectory, "slots");
        var owners = new RefOwners(repository);
        return new IsolatedRepository(
            options, repository, _baseline, known, owners, new FileRestorer(repository, slots, _time), new RefRestorer(repository, _baseline, known, owners, rescuer, remote, _refs),
            new WorktreeSweeper(repository, slots, rescuer, _time), remote, git);
    }

    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _repairer.Remove(place);
        return ValueTask.CompletedTask;
    }
}
