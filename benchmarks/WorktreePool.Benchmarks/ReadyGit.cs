namespace WorktreePool.Benchmarks;

/// <summary>A git that costs nothing: every slot is ready whenever it is looked at. What is left is the pool's and the store's own cost.</summary>
internal sealed class ReadyGit : IGitBackend, IRescueArchive
{
    private static readonly string Commit = new('a', 40);

    public IRescueArchive Rescues => this;

    public IIsolatedRepository? Isolated => null;

    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) => new(new RepositoryFacts("/none", "refs/heads/main", []));

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => new([]);

    public ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken) => new([]);

    public ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) => new(name);

    public ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) => new(Commit);

    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null) => new(Commit);

    public ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken) => new([]);

    public ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken) => new(new SlotProbe([], Commit, place.Slot));

    public ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken) => new(place.Slot);

    public ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken) => default;

    public ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken) => default;

    public ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken) => default;

    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) => default;

    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken) => default;

    public ValueTask<IReadOnlyList<Rescue>> ListAsync(CancellationToken cancellationToken) => new([]);

    public ValueTask<string> ShowAsync(string id, CancellationToken cancellationToken) => throw new NotSupportedException("there are no rescues");

    public ValueTask<string> RestoreAsync(string id, string branch, CancellationToken cancellationToken) => throw new NotSupportedException("there are no rescues");

    public ValueTask DropAsync(string id, CancellationToken cancellationToken) => default;
}
