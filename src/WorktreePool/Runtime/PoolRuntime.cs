using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>A pool: puts the parts of the runtime together behind the public face.</summary>
internal sealed class PoolRuntime : IWorktreePool, IPoolOperator
{
    private readonly PoolContext _context;
    private readonly BaseResolver _bases;
    private readonly PoolJournal _journal;
    private readonly SlotRoster _roster;
    private readonly Claiming _claiming;
    private readonly Releasing _releasing;
    private readonly Keeper _keeper;
    private readonly LeaseWatch _watch;
    private readonly PendingReleases _pending;

    public PoolRuntime(PoolContext context)
    {
        _context = context;
        _bases = new BaseResolver(context);
        _journal = new PoolJournal(context);
        _roster = new SlotRoster(context, _bases, _journal);
        var preparation = new SlotPreparation(context);
        var cleaning = new SlotCleaning(context, _bases, preparation, _journal);
        var presence = new Presence(context);
        Fleet = new Fleet(context, _journal);
        _claiming = new Claiming(context, _bases, preparation, _journal, new Refusals(context), _roster, presence, new WaitingLine());
        _releasing = new Releasing(context, cleaning);
        _keeper = new Keeper(context, _bases, cleaning, _roster, Fleet);
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

    public async ValueTask<BatchClaim> ClaimWhatFitsAsync(IReadOnlyList<ClaimRequest> requests, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        var results = new List<ClaimResult>(requests.Count);
        try
        {
            foreach (ClaimRequest request in requests)
            {
                results.Add(await TryClaimAsync(request, cancellationToken).ConfigureAwait(false));
            }
        }
        catch
        {
            // Nothing was handed over yet, so nothing may stay claimed.
            foreach (ClaimResult claimed in results.Where(result => result.Lease is { IsAttached: false }))
            {
                await claimed.Lease!.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }

        return new BatchClaim(results);
    }

    public async ValueTask<SlotLease?> TryAttachAsync(LeaseToken token, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(token);
        PoolState state = await _context.Store.ReadAsync(cancellationToken).ConfigureAwait(false);
        return state.Slots.FirstOrDefault(record => PoolLease.Proves(record, token)) is { } leased
            ? new PoolLease(_context, _releasing, _watch, _pending, ClaimOutcome.Attached(leased, token))
            : null;
    }

    public async ValueTask<PoolSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default)
    {
        PoolState state = await _context.Store.ReadAsync(cancellationToken).ConfigureAwait(false);
        string baseRef = await _bases.GetBaseRefAsync(cancellationToken).ConfigureAwait(false);
        string? commit = state.Pool.Base?.Ref == baseRef ? state.Pool.Base.Commit : await _context.Git.ResolveAsync(baseRef, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = _context.Now;
        return new PoolSnapshot(_context.Name, baseRef, commit, state.Pool.Paused, Counting.Count([.. state.Slots]), [.. state.Slots.Select(record =>
            new SlotSnapshot(record, _context.LivenessOf(record), record is { State: SlotState.Leased, Lease.ExpiresAt: { } end } && end <= now))])
        {
            Drift = await _context.Git.FindDriftAsync(cancellationToken).ConfigureAwait(false),
        };
    }

    public ValueTask<MaintenanceReport> MaintainAsync(CancellationToken cancellationToken = default) => _keeper.MaintainAsync(null, cancellationToken);

    public async ValueTask<PoolSnapshot> InitializeAsync(CancellationToken cancellationToken = default, IProgress<PoolProgress>? progress = null)
    {
        await _context.Git.InspectAsync(cancellationToken).ConfigureAwait(false);
        await _roster.EnsureAsync(cancellationToken).ConfigureAwait(false);
        await _roster.ShrinkAsync(progress, cancellationToken).ConfigureAwait(false);
        await _keeper.MaintainAsync(progress, cancellationToken).ConfigureAwait(false);

        // What that pass took back from dead holders can go now.
        await _roster.ShrinkAsync(progress, cancellationToken).ConfigureAwait(false);
        return await GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<ReleaseReport> ReleaseAsync(string key, ReleaseMode? mode = null, CancellationToken cancellationToken = default) =>
        Names.WhyNotKey(key) is { } bad
            ? throw new ArgumentException(bad, nameof(key))
            : _releasing.RunAsync(record => record.Lease?.Key == key, $"\"{key}\"", mode, cancellationToken);

    public ValueTask<DoctorReport> ExamineAsync(bool fix, CancellationToken cancellationToken = default, IProgress<PoolProgress>? progress = null) =>
        _keeper.ExamineAsync(fix, progress, cancellationToken);

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
    }

    private async ValueTask<ClaimResult> ClaimAsync(ClaimRequest request, bool mayWait, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ClaimOutcome outcome = await _claiming.RunAsync(request, mayWait, cancellationToken).ConfigureAwait(false);
        return outcome.Refusal is { } refusal
            ? ClaimResult.Refused(refusal)
            : ClaimResult.Claimed(new PoolLease(_context, _releasing, _watch, _pending, outcome));
    }

    private async ValueTask SetPausedAsync(PauseRecord? paused, HistoryEvent what, CancellationToken cancellationToken)
    {
        PoolRecord pool;
        do
        {
            pool = (await _context.Store.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool;
        }
        while (!await _context.Store.CompareAndSetPoolAsync(pool.Version, pool with { Paused = paused }, cancellationToken).ConfigureAwait(false));
        await _journal.WriteAsync(new HistoryEntry { At = _context.Now, Event = what, Host = _context.Host, Detail = paused?.Reason }, cancellationToken).ConfigureAwait(false);
    }
}
