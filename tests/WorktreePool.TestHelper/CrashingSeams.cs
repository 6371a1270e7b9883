namespace WorktreePool.TestHelper;

/// <summary>A store with a crash point before and after each call that changes something. A read has none: a crash there is one before the next change.</summary>
internal sealed class CrashingStore(ISlotStateStore inner) : ISlotStateStore
{
    public TimeProvider? Clock => inner.Clock;

    public ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken) => inner.ReadAsync(cancellationToken);

    public ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken) =>
        Crash.AroundAsync($"record {next.State}{(next.WorkSaved ? " with work saved" : "")}", () => inner.CompareAndSetAsync(expectedVersion, next, cancellationToken));

    public ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken) =>
        Crash.AroundAsync("record removed", () => inner.RemoveAsync(slot, expectedVersion, cancellationToken));

    public ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken) =>
        Crash.AroundAsync("pool record", () => inner.CompareAndSetPoolAsync(expectedVersion, next, cancellationToken));

    public ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken) => inner.WaitForChangeAsync(stamp, cancellationToken);

    public ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken) =>
        Crash.AroundAsync("lock", () => inner.TryLockSlotAsync(slot, cancellationToken));

    public ValueTask<IAsyncDisposable> WaitForSlotLockAsync(string slot, TimeProvider time, CancellationToken cancellationToken) => inner.WaitForSlotLockAsync(slot, time, cancellationToken);

    public ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken) =>
        Crash.AroundAsync($"history {entry.Event}", () => inner.AppendHistoryAsync(entry, cancellationToken));

    public ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken) => inner.ReadHistoryAsync(query, cancellationToken);

    public ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken) =>
        Crash.AroundAsync("history pruned", () => inner.PruneHistoryAsync(before, limit, cancellationToken));

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

/// <summary>A git backend with a crash point before and after every verb.</summary>
internal sealed class CrashingGit(IGitBackend inner) : IGitBackend
{
    public IRescueArchive Rescues { get; } = new CrashingRescues(inner.Rescues);

    public IIsolatedRepository? Isolated { get; } = inner.Isolated is { } isolated ? new CrashingIsolated(isolated) : null;

    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) => Crash.AroundAsync("inspect", () => inner.InspectAsync(cancellationToken));

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => Crash.AroundAsync("trust", () => inner.TrustAsync(cancellationToken));

    public ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken) => inner.FindDriftAsync(cancellationToken);

    public ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) => Crash.AroundAsync("expand", () => inner.ExpandAsync(name, cancellationToken));

    public ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) => Crash.AroundAsync("resolve", () => inner.ResolveAsync(reference, cancellationToken));

    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null) => Crash.AroundAsync("fetch", () => inner.FetchAsync(reference, cancellationToken, progress));

    public ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken) =>
        Crash.AroundAsync("examine remotes", () => inner.ExamineRemotesAsync(reference, cancellationToken));

    public ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken) =>
        Crash.AroundAsync("probe", () => inner.ProbeAsync(place, target, cancellationToken));

    public ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken) =>
        Crash.AroundAsync($"repair {level}", () => inner.RepairAsync(place, commit, level, cancellationToken));

    public ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken) =>
        Crash.AroundAsync("start branch", () => inner.StartBranchAsync(place, branch, commit, cancellationToken));

    public ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken) => Crash.AroundAsync("delete branch", () => inner.DeleteBranchAsync(branch, cancellationToken));

    public ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken) => Crash.AroundAsync("evict", () => inner.EvictAsync(place, cancellationToken));

    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) =>
        Crash.AroundAsync("rescue", () => inner.RescueAsync(place, request, cancellationToken));

    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken) => Crash.AroundAsync("remove", () => inner.RemoveAsync(place, cancellationToken));

    private sealed class CrashingIsolated(IIsolatedRepository inner) : IIsolatedRepository
    {
        public ValueTask EstablishAsync(CancellationToken cancellationToken) => Crash.AroundAsync("establish", () => inner.EstablishAsync(cancellationToken));

        public ValueTask<IReadOnlyList<Finding>> RestoreAsync(CancellationToken cancellationToken) => Crash.AroundAsync("repository restored", () => inner.RestoreAsync(cancellationToken));

        public ValueTask<IReadOnlyList<Rescue>> SweepAsync(RefSweep sweep, CancellationToken cancellationToken) => Crash.AroundAsync("refs swept", () => inner.SweepAsync(sweep, cancellationToken));
    }

    private sealed class CrashingRescues(IRescueArchive inner) : IRescueArchive
    {
        public ValueTask<IReadOnlyList<Rescue>> ListAsync(CancellationToken cancellationToken) => inner.ListAsync(cancellationToken);

        public ValueTask<string> ShowAsync(string id, CancellationToken cancellationToken) => inner.ShowAsync(id, cancellationToken);

        public ValueTask<string> RestoreAsync(string id, string branch, CancellationToken cancellationToken) =>
            Crash.AroundAsync("rescue restored", () => inner.RestoreAsync(id, branch, cancellationToken));

        public ValueTask DropAsync(string id, CancellationToken cancellationToken) => Crash.AroundAsync("rescue dropped", () => inner.DropAsync(id, cancellationToken));
    }
}
