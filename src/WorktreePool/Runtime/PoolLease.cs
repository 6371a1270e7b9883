namespace WorktreePool.Runtime;

/// <summary>The lease object handed to a holder.</summary>
internal sealed class PoolLease : SlotLease, IHeld
{
    private readonly PoolContext _context;
    private readonly Releasing _releasing;
    private readonly LossWatch _watch;
    private readonly PendingReleases _pending;
    private readonly LossSignal _lost = new();
    private SlotRecord _record;
    private int _ended;

    public PoolLease(PoolContext context, Releasing releasing, LossWatch watch, PendingReleases pending, ClaimOutcome outcome)
    {
        (_context, _releasing, _watch, _pending, _record) = (context, releasing, watch, pending, outcome.Record!);
        (Token, IsAttached, Healed, Rescued, Waited, Prepared) =
            (outcome.Secret!, outcome.IsAttached, outcome.Healed, outcome.Rescued, outcome.Waited, outcome.Prepared);
        LostToken = _lost.Token;
        watch.Add(this);
    }

    public override string Slot => _record.Slot;

    public override string Path => _record.Path;

    public override string Key => _record.Lease!.Key;

    public override string? Branch => _record.Lease!.Branch;

    public override string Commit => _record.Lease!.Commit!;

    public override long Epoch => _record.Epoch;

    public override LeaseToken Token { get; }

    public override DateTimeOffset ClaimedAt => _record.Lease!.ClaimedAt;

    public override DateTimeOffset? ExpiresAt => _record.Lease!.ExpiresAt;

    public DateTimeOffset? TrustedUntil =>
        _record.Lease is { ExpiresAt: { } end, Owner.Duration: { } duration } ? Lifecycle.FleetPolicy.TrustUntil(end, duration) : null;

    public override bool IsAttached { get; }

    public override IReadOnlyList<string> Healed { get; }

    public override IReadOnlyList<string> Rescued { get; }

    public override TimeSpan Waited { get; }

    public override TimeSpan Prepared { get; }

    public override CancellationToken LostToken { get; }

    /// <summary>Whether a record is the live lease that a token was given for.</summary>
    public static bool Proves(SlotRecord record, LeaseToken token) =>
        record.State == SlotState.Leased && record.Slot == token.Slot && record.Epoch == token.Epoch && record.Lease?.TokenHash == token.Hash;

    public override ValueTask RenewAsync(CancellationToken cancellationToken = default) => TransferAsync(_record.Lease!.Owner, cancellationToken);

    public override async ValueTask TransferAsync(LeaseOwner owner, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(owner);
        while (true)
        {
            PoolState state = await _context.ReadAsync(cancellationToken).ConfigureAwait(false);
            SlotRecord record = state.Slots.FirstOrDefault(slot => Proves(slot, Token)) ?? throw Lost();
            StoreResult result = await _context.Store.CompareAndSetAsync(
                record.Version, Lifecycle.SlotLifecycle.Renew(record, owner, _context.Now, _context.Uptime), cancellationToken).ConfigureAwait(false);
            if (result.Stored is { } stored)
            {
                _record = stored;
                return;
            }
        }
    }

    public override async ValueTask<ReleaseReport> ReleaseAsync(ReleaseMode? mode = null, CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
        {
            throw Lost();
        }

        _watch.Remove(this);
        try
        {
            return await _releasing.RunAsync(slot => Proves(slot, Token), $"{Slot} for \"{Key}\"", mode, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (HasNotBegun(e))
        {
            // The lease is still held: a release or the dispose may try again, and so does this process unless the caller cancelled.
            Volatile.Write(ref _ended, 0);
            _watch.Add(this);
            if (e is not OperationCanceledException)
            {
                _pending.Add(this, token => TryEndAsync(mode, token));
            }

            throw;
        }
    }

    /// <summary>Another try of a release that could not be recorded; whether the lease has ended.</summary>
    private async Task<bool> TryEndAsync(ReleaseMode? mode, CancellationToken cancellationToken)
    {
        try
        {
            await ReleaseAsync(mode, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return !HasNotBegun(e);
        }
    }

    /// <summary>Whether a release failed before it was recorded, or may have.</summary>
    private static bool HasNotBegun(Exception e) => e is OperationCanceledException or StateStoreException or ReleaseIncompleteException { HasBegun: false };

    public override void Detach()
    {
        Interlocked.Exchange(ref _ended, 1);
        _watch.Remove(this);
    }

    public override async ValueTask DisposeAsync()
    {
        if (Volatile.Read(ref _ended) == 0)
        {
            try
            {
                await ReleaseAsync(null, CancellationToken.None).ConfigureAwait(false);
            }
            catch (WorktreePoolException e)
            {
                // A dispose must not hide the exception that led to it: the slot is another's by now, or is healed by the next claim.
                Diagnostics.PoolLog.DisposeIncomplete(_context.Logger, _context.Name, Slot, e.Message);
            }
        }

        _watch.Remove(this);
        _lost.Dispose();
    }

    public bool IsOver => Lifecycle.SlotLifecycle.AsOf(_record, _context.Now, _context.Uptime).Lease?.ExpiresAt <= _context.Now;

    public bool IsProvedBy(PoolRecord pool, IReadOnlyDictionary<string, SlotRecord> slots)
    {
        bool isProved = slots.TryGetValue(Slot, out SlotRecord? record) && Proves(record, Token);
        if (isProved && record!.Version > _record.Version)
        {
            // Another process may have renewed it.
            _record = record;
        }

        return isProved;
    }

    public void MarkLost()
    {
        if (Volatile.Read(ref _ended) == 0)
        {
            _lost.Give();
        }
    }

    private LeaseLostException Lost() => new(
        $"The lease of {Slot} for \"{Key}\" (epoch {Epoch}) has ended: it was released, or reclaimed because its owner was gone or its time ran out. Nothing was touched. Work that was in the slot is under worktree-pool rescue list.");
}
