using WorktreePool.Lifecycle;
using WorktreePool.Settings;

namespace WorktreePool.Runtime;

/// <summary>A pool: puts the parts of the runtime together behind the public face.</summary>
internal sealed class PoolRuntime : IWorktreePool, IPoolOperator
{
    private readonly PoolContext _context;
    private readonly BaseResolver _bases;
    private readonly PoolJournal _journal;
    private readonly SlotRoster _roster;
    private readonly PoolEvents _events = new();
    private readonly Claiming _claiming;
    private readonly BatchClaiming _batches;
    private readonly Releasing _releasing;
    private readonly Keeper _keeper;
    private readonly KeeperShift _shift;
    private readonly Doctor _doctor;
    private readonly Dispatching _dispatching;
    private readonly PoolGauges _gauges;
    private readonly Leases _leases;
    private readonly LeaseWatch _watch;
    private readonly PendingReleases _pending;

    public PoolRuntime(PoolContext context)
    {
        _context = context;
        var gates = new Gates(context);
        _bases = new BaseResolver(context, gates);
        _journal = new PoolJournal(context, _events);
        _roster = new SlotRoster(context, _bases, _journal);
        var care = new RepositoryCare(context);
        var preparation = new SlotPreparation(context, care);
        var setUp = new SlotSetUp(context);
        var cleaning = new SlotCleaning(context, _bases, preparation, setUp, care, _journal);
        var presence = new Presence(context);
        var refusals = new Refusals(context);
        var housekeeping = new Housekeeping(context, cleaning, setUp);
        Fleet = new Fleet(context, _journal);
        _claiming = new Claiming(context, _bases, preparation, setUp, care, _journal, refusals, _roster, presence, new WaitingLine(), Hold);
        _batches = new BatchClaiming(context, _claiming, refusals, Hold);
        _releasing = new Releasing(context, cleaning);
        _keeper = new Keeper(context, _bases, housekeeping, setUp, care, _roster, Fleet, _journal);
        _shift = new KeeperShift(context, _keeper, gates);
        _dispatching = new Dispatching(context, gates, presence);
        _leases = new Leases(context);
        _gauges = new PoolGauges(context);
        _doctor = new Doctor(context, _bases, _keeper, housekeeping, care, _roster);
        _watch = new LeaseWatch(context, presence);
        _pending = new PendingReleases(context);
    }

    public Fleet Fleet { get; }

    public IRescueArchive Rescues => _context.Git.Rescues;

    public async ValueTask<SlotLease> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken = default)
    {
        ClaimResult result = await ClaimAsync(request, mayWait: true, cancellationToken).ConfigureAwait(false);
        return result.Lease ?? throw new SlotUnavailableException(result.Refusal!);
    }

    public ValueTask<ClaimResult> TryClaimAsync(ClaimRequest request, CancellationToken cancellationToken = default) =>
        ClaimAsync(request, mayWait: false, cancellationToken);

    public ValueTask<BatchClaim> ClaimWhatFitsAsync(IReadOnlyList<ClaimRequest> requests, CancellationToken cancellationToken = default) =>
        new(_batches.RunAsync(Checked(requests), cancellationToken));

    public IAsyncEnumerable<BatchClaimItem> StreamWhatFitsAsync(IReadOnlyList<ClaimRequest> requests, CancellationToken cancellationToken = default) =>
        _batches.StreamAsync(Checked(requests), cancellationToken);

    public async ValueTask<SlotLease?> TryAttachAsync(LeaseToken token, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(token);
        PoolState state = await _context.ReadAsync(cancellationToken).ConfigureAwait(false);
        return state.Slots.FirstOrDefault(record => PoolLease.Proves(record, token)) is { } leased
            ? Hold(ClaimOutcome.Attached(leased, token))
            : null;
    }

    public ValueTask<IReadOnlyList<SlotSnapshot>> ListLeasesAsync(LeaseQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        return _leases.ListAsync(query, cancellationToken);
    }

    public async ValueTask<SlotLease?> TryTakeOverAsync(string key, LeaseOwner? owner = null, CancellationToken cancellationToken = default) =>
        await _leases.TakeOverAsync(key, owner, cancellationToken).ConfigureAwait(false) is { } outcome ? Hold(outcome) : null;

    public ValueTask<DispatchAttempt> TryEnterDispatchAsync(string name, TimeSpan? wait = null, CancellationToken cancellationToken = default) =>
        _dispatching.EnterAsync(name, wait ?? TimeSpan.Zero, cancellationToken);

    public async ValueTask<PoolSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default)
    {
        PoolState state = await _context.ReadAsync(cancellationToken).ConfigureAwait(false);
        string baseRef = await _bases.GetBaseRefAsync(cancellationToken).ConfigureAwait(false);
        string? commit = state.Pool.Base?.Ref == baseRef ? state.Pool.Base.Commit : await _context.Git.ResolveAsync(baseRef, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = _context.Now;
        return new PoolSnapshot(_context.Name, baseRef, commit, state.Pool.Paused, Counting.Count([.. state.Slots]), [.. state.Slots.Select(record =>
            new SlotSnapshot(record, _context.LivenessOf(record), SlotLifecycle.IsOverdue(record, now)))])
        {
            Drift = await _context.Git.FindDriftAsync(cancellationToken).ConfigureAwait(false),
            Obstacle = await _context.Store.FindObstacleAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    public ValueTask<MaintenanceReport> MaintainAsync(CancellationToken cancellationToken = default) =>
        _shift.MaintainAsync(_context.KeeperSettings.Current.BaseRefresh, cancellationToken);

    public IAsyncEnumerable<MaintenanceReport> KeepAsync(KeeperOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (options is null)
        {
            return _shift.KeepAsync(_context.KeeperSettings, cancellationToken);
        }

        string[] failures = [.. KeeperSettingTable.Check(options)];
        return failures.Length == 0
            ? _shift.KeepAsync(new Live<KeeperOptions>(options), cancellationToken)
            : throw new PoolConfigurationException($"Pool \"{_context.Name}\": {string.Join(' ', failures)}");
    }

    public IPoolSubscription Subscribe(int capacity = 256) => _events.Subscribe(capacity);

    public async ValueTask<PoolSnapshot> InitializeAsync(CancellationToken cancellationToken = default, IProgress<PoolProgress>? progress = null)
    {
        if (_context.Git.Isolated is null)
        {
            await _context.Git.InspectAsync(cancellationToken).ConfigureAwait(false);
        }

        await _roster.EnsureAsync(cancellationToken).ConfigureAwait(false);
        await _roster.ShrinkAsync(progress, cancellationToken).ConfigureAwait(false);
        await _keeper.RunAsync(null, cancellationToken, progress).ConfigureAwait(false);

        // What that pass took back from dead holders can go now.
        await _roster.ShrinkAsync(progress, cancellationToken).ConfigureAwait(false);
        return await GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<ReleaseReport> ReleaseAsync(string key, ReleaseMode? mode = null, CancellationToken cancellationToken = default) =>
        Names.WhyNotKey(key) is { } bad
            ? throw new ArgumentException(bad, nameof(key))
            : _releasing.RunAsync(record => record.Lease?.Key == key, $"\"{key}\"", mode, cancellationToken);

    public ValueTask<DoctorReport> ExamineAsync(bool fix, CancellationToken cancellationToken = default, IProgress<PoolProgress>? progress = null) =>
        _doctor.ExamineAsync(fix, progress, cancellationToken);

    public ValueTask PauseAsync(string reason, CancellationToken cancellationToken = default) =>
        SetPausedAsync(new PauseRecord(reason ?? "", _context.Now), HistoryEvent.Paused, cancellationToken);

    public ValueTask ResumeAsync(CancellationToken cancellationToken = default) => SetPausedAsync(null, HistoryEvent.Resumed, cancellationToken);

    public ValueTask<IReadOnlyList<HistoryEntry>> GetHistoryAsync(HistoryQuery query, CancellationToken cancellationToken = default) =>
        _context.Store.ReadHistoryAsync(query, cancellationToken);

    public async ValueTask<IReadOnlyList<Finding>> TrustAsync(bool accept, CancellationToken cancellationToken = default) => accept
        ? await _context.Git.TrustAsync(cancellationToken).ConfigureAwait(false)
        : (await _context.Git.InspectAsync(cancellationToken).ConfigureAwait(false)).Findings;

    public async ValueTask DisposeAsync()
    {
        await _pending.DisposeAsync().ConfigureAwait(false);
        await _watch.DisposeAsync().ConfigureAwait(false);
        _events.Close();
        _gauges.Dispose();
    }

    private async ValueTask<ClaimResult> ClaimAsync(ClaimRequest request, bool mayWait, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ClaimOutcome outcome = await _claiming.RunMeasuredAsync(request, mayWait, cancellationToken).ConfigureAwait(false);
        return outcome.Refusal is { } refusal
            ? ClaimResult.Refused(refusal)
            : ClaimResult.Claimed(Hold(outcome));
    }

    private PoolLease Hold(ClaimOutcome outcome) => new(_context, _releasing, _watch, _pending, outcome);

    private static IReadOnlyList<ClaimRequest> Checked(IReadOnlyList<ClaimRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        return requests.Any(request => request is null) ? throw new ArgumentException("A request of the batch is null.", nameof(requests)) : requests;
    }

    private async ValueTask SetPausedAsync(PauseRecord? paused, HistoryEvent what, CancellationToken cancellationToken)
    {
        PoolRecord pool;
        do
        {
            pool = (await _context.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool;
        }
        while (!await _context.Store.CompareAndSetPoolAsync(pool.Version, pool with { Paused = paused }, cancellationToken).ConfigureAwait(false));
        await _journal.WriteAsync(new HistoryEntry { At = _context.Now, Event = what, Host = _context.Host, Detail = paused?.Reason }, cancellationToken).ConfigureAwait(false);
    }
}
