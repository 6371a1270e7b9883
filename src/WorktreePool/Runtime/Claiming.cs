using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// Claims: choose a slot, take it (working lock, then compare-and-set to preparing), make it ready, hand it over. A slot that cannot be
/// made ready is set aside and the claim goes on with the next one inside its deadline.
/// </summary>
internal sealed class Claiming(
    PoolContext context, BaseResolver bases, SlotPreparation preparation, SlotSetUp setUp, RepositoryCare care, PoolJournal journal, Refusals refusals, SlotRoster roster, Presence presence, WaitingLine line,
    Func<ClaimOutcome, SlotLease> hold)
{
    private readonly Baton _baton = new(context);

    /// <summary>How often a waiting claim looks whether an owner has died: no store can notify of that.</summary>
    private static readonly TimeSpan OwnerCheckInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a claim waits, at most, for whoever has a slot's working lock but has not yet written what for.</summary>
    private static readonly TimeSpan PassingLock = TimeSpan.FromMilliseconds(10);

    /// <summary>How often a claim waits for such a lock: whoever keeps one longer is stopped or stuck.</summary>
    private const int PassingLocks = 25;

    /// <summary>How long the keeper may take to give a slot up: to end git takes milliseconds; a keeper that is stopped or stuck never answers.</summary>
    private static readonly TimeSpan KeeperAnswer = TimeSpan.FromSeconds(5);

    /// <summary>For how long a claim leaves freed slots to others, whoever has the baton meanwhile.</summary>
    private static readonly TimeSpan MostCourtesy = TimeSpan.FromMilliseconds(50);

    /// <summary>What a claim may take beyond its end to give its slot back.</summary>
    private static readonly TimeSpan GiveBackGrace = TimeSpan.FromMilliseconds(200);

    /// <summary>Claims, measured for whoever listens.</summary>
    public ValueTask<ClaimOutcome> RunMeasuredAsync(ClaimRequest request, bool mayWait, CancellationToken cancellationToken, TimeSpan? atMost = null, Action? taken = null) =>
        PoolTelemetry.StartClaim(context.Name, context.Time, request.Key) is { } measured
            ? MeasureAsync(measured, RunAsync(request, mayWait, cancellationToken, atMost, taken))
            : RunAsync(request, mayWait, cancellationToken, atMost, taken);

    private async ValueTask<ClaimOutcome> MeasureAsync(PoolTelemetry.Operation measured, ValueTask<ClaimOutcome> claim)
    {
        using PoolTelemetry.Operation operation = measured;
        ClaimOutcome outcome = await claim.ConfigureAwait(false);
        operation.End(outcome.Refusal is { } refusal ? PoolTelemetry.Word(refusal.Reason.ToString()) : outcome.IsAttached ? "attached" : "claimed", outcome.Record?.Slot);
        if (outcome is { Record: not null, IsAttached: false })
        {
            PoolTelemetry.Granted(context.Name, outcome.Waited, outcome.Prepared);
        }

        return outcome;
    }

    /// <summary>Claims.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="mayWait">Whether to wait for a slot that somebody holds.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <param name="atMost">How long it may take; null: the claim timeout.</param>
    /// <param name="taken">Called when a slot is taken, before it is prepared.</param>
    public async ValueTask<ClaimOutcome> RunAsync(ClaimRequest request, bool mayWait, CancellationToken cancellationToken, TimeSpan? atMost = null, Action? taken = null)
    {
        request.Validate();
        mayWait &= request.Wait != TimeSpan.Zero;
        TimeSpan limit = atMost ?? context.Options.ClaimTimeout;
        TimeSpan budget = mayWait && request.Wait is { } wait && (context.Options.HostTaskTimeout is null || wait < limit) ? wait : limit;
        var attempt = new ClaimAttempt(request, new Deadline(context.Time, budget, cancellationToken), taken, new Baton.Place(_baton, context));
        WaitingLine.Place? place = mayWait ? line.Join() : null;
        using var overdue = new Overdue(context, budget, cancellationToken);
        Task<ClaimOutcome> work = overdue.Begin(() => RunAsync(attempt, place, budget));
        if (await overdue.IsDoneInTimeAsync(work).ConfigureAwait(false))
        {
            return await work.ConfigureAwait(false);
        }

        _ = GiveBackLateAsync(work);
        cancellationToken.ThrowIfCancellationRequested();
        return ClaimOutcome.Refused(await refusals.TimedOutAsync(attempt, budget, isOverdue: true).ConfigureAwait(false));
    }

    private async Task<ClaimOutcome> RunAsync(ClaimAttempt attempt, WaitingLine.Place? place, TimeSpan budget)
    {
        using Deadline deadline = attempt.Deadline;
        using WaitingLine.Place? leaving = place;
        try
        {
            await roster.EnsureAsync(deadline.Token).ConfigureAwait(false);
            await presence.EnsureAsync(deadline.Token).ConfigureAwait(false);
            if (await LookAheadAsync(attempt).ConfigureAwait(false) is { } early)
            {
                return early;
            }

            while (true)
            {
                if (place is not null)
                {
                    await place.WaitForTurnAsync(deadline.Token).ConfigureAwait(false);
                }

                if (await TryOnceAsync(attempt, place, mayWait: place is not null).ConfigureAwait(false) is { } outcome)
                {
                    return outcome;
                }

                if (!attempt.LookAgain)
                {
                    await WaitAsync(attempt, wantsAny: place is { Turn: not null }).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            return ClaimOutcome.Refused(await refusals.TimedOutAsync(attempt, place is null ? deadline.Elapsed : budget, isOverdue: false).ConfigureAwait(false));
        }
        finally
        {
            await attempt.Baton.LeaveAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Waits until it is worth looking again.</summary>
    private async ValueTask WaitAsync(ClaimAttempt attempt, bool wantsAny)
    {
        TimeSpan atMost = attempt.IsPassing || attempt.HasAsked ? PassingLock : OwnerCheckInterval;
        bool standsInLine = wantsAny && !attempt.Baton.HasBaton && (attempt.IsCourteous || !attempt.IsPassing);
        if (standsInLine && await attempt.Baton.WaitAsync(attempt.Deadline.Token).ConfigureAwait(false))
        {
            return;
        }

        await context.WaitForChangeAsync(attempt.State!.Stamp, atMost, attempt.Deadline.Token).ConfigureAwait(false);
    }

    /// <summary>The caller has gone. Whatever the work comes to now, no lease may stay that nobody knows of.</summary>
    private async Task GiveBackLateAsync(Task<ClaimOutcome> work)
    {
        try
        {
            ClaimOutcome late = await work.ConfigureAwait(false);
            if (late is { Record: not null, IsAttached: false })
            {
                await hold(late).DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WorktreePoolException)
        {
            PoolLog.LateEnd(context.Logger, context.Name, e.Message);
        }
    }

    /// <summary>What needs no slot: refusals that are known at once, and the git that resolves what is asked for. Done before the claim wants its turn.</summary>
    private async ValueTask<ClaimOutcome?> LookAheadAsync(ClaimAttempt attempt)
    {
        if (await LookAsync(attempt, chooses: false).ConfigureAwait(false) is { } outcome)
        {
            return outcome;
        }

        attempt.Restored = await care.RestoreAsync(attempt.Deadline.Token).ConfigureAwait(false);
        attempt.Commit = await bases.ResolveAsync(attempt.Request.Base, attempt.Request.MaxBaseAge, attempt.State!.Pool, attempt.Deadline).ConfigureAwait(false);
        await CheckBranchAsync(attempt.Request, attempt.State, attempt.Deadline.Token).ConfigureAwait(false);
        return null;
    }

    /// <summary>Reads the pool; an outcome when it follows from the records alone.</summary>
    private async ValueTask<ClaimOutcome?> LookAsync(ClaimAttempt attempt, bool chooses)
    {
        ClaimRequest request = attempt.Request;
        PoolState state = attempt.State = await context.ReadAsync(attempt.Deadline.Token).ConfigureAwait(false);
        if (request.Token is { } held)
        {
            SlotRecord? leased = state.Slots.FirstOrDefault(record => PoolLease.Proves(record, held) && record.Lease!.Key == request.Key);
            return leased is null ? ClaimOutcome.Refused(refusals.LeaseLost(request, state)) : ClaimOutcome.Attached(leased, held);
        }

        if (state.Pool.Paused is not null)
        {
            return ClaimOutcome.Refused(refusals.Paused(request, state));
        }

        attempt.Choice = chooses
            ? ClaimSelection.Choose(state.Slots, request.Key, request.Branch, attempt.Commit, context.Host, context.LivenessOf, context.Now)
            : ClaimSelection.HolderOf(state.Slots, request.Key, context.Host, attempt.Commit, context.LivenessOf, context.Now);
        return attempt.Choice is { KeyHolder: { } holder, Candidates.Count: 0 } ? ClaimOutcome.Refused(refusals.KeyHeld(request, state, holder)) : null;
    }

    /// <summary>One try: an outcome, or null to try again, at once or after a change.</summary>
    private async ValueTask<ClaimOutcome?> TryOnceAsync(ClaimAttempt attempt, WaitingLine.Place? place, bool mayWait)
    {
        (attempt.LookAgain, attempt.IsPassing, attempt.HasAsked) = (false, false, false);
        if (await LookAsync(attempt, chooses: true).ConfigureAwait(false) is { } outcome)
        {
            return outcome;
        }

        (SlotRecord? holder, Candidates candidates) = attempt.Choice!;
        bool isCourteous = attempt.IsCourteous = !attempt.Baton.HasBaton && (attempt.CourteousSince is not { } since || attempt.Deadline.Elapsed - since < MostCourtesy)
            && candidates.Any(_baton.IsFresh) && await _baton.IsTakenAsync(attempt.Deadline.Token).ConfigureAwait(false);
        foreach (SlotRecord candidate in candidates)
        {
            if (isCourteous && _baton.IsFresh(candidate))
            {
                attempt.IsPassing = true;
                continue;
            }

            (TakenSlot? taken, SlotRecord? elsewhere) = await TryTakeAsync(candidate, attempt).ConfigureAwait(false);
            if (taken is not null)
            {
                // From here on nobody need wait for this claim. If the slot cannot be made ready, it still has its place.
                place?.StepAside();
                await attempt.Baton.LeaveAsync().ConfigureAwait(false);
                attempt.LookAgain = true;
                try
                {
                    attempt.Taken?.Invoke();
                    return await PrepareAsync(taken, attempt).ConfigureAwait(false);
                }
                finally
                {
                    await LeaveAsync(taken.Working, taken.Probe).ConfigureAwait(false);
                }
            }

            if (elsewhere is not null)
            {
                return ClaimOutcome.Refused(refusals.KeyHeld(attempt.Request, attempt.State!, elsewhere));
            }
        }

        if (isCourteous)
        {
            attempt.CourteousSince ??= attempt.Deadline.Elapsed;
        }

        attempt.IsPassing = attempt.IsPassing && (isCourteous || attempt.PassingLocks++ < PassingLocks);
        if (attempt.LookAgain || attempt.IsPassing || await AskKeeperAsync(attempt, candidates).ConfigureAwait(false))
        {
            return null;
        }

        if (holder is not null)
        {
            if (holder.State == SlotState.Preparing || !mayWait)
            {
                return ClaimOutcome.Refused(refusals.KeyHeld(attempt.Request, attempt.State!, holder));
            }

            // This claim waits for the one slot that has its key; the others need not.
            place?.StepAside();
            await attempt.Baton.LeaveAsync().ConfigureAwait(false);
        }

        return mayWait ? null : ClaimOutcome.Refused(await refusals.NoSlotAsync(attempt.Request, attempt.State!, null, attempt.Failures).ConfigureAwait(false));
    }

    /// <summary>
    /// Asks the keeper for a slot that it is at work on, when there is no other: it stops and leaves the slot to this claim. That takes a moment, which even
    /// a claim that waits for no holder has.
    /// </summary>
    /// <returns>Whether the keeper has been asked and may still answer.</returns>
    private async ValueTask<bool> AskKeeperAsync(ClaimAttempt attempt, Candidates candidates)
    {
        SlotRecord? asked = candidates.FirstOrDefault(record => record is { State: SlotState.Cleaning, Yield: SlotYield.Asked });
        if (asked is null && candidates.FirstOrDefault(record => record is { State: SlotState.Cleaning, Yield: SlotYield.WhenAsked }) is { } kept)
        {
            asked = kept;
            await context.Store.CompareAndSetAsync(kept.Version, SlotLifecycle.AskFor(kept, context.Now), attempt.Deadline.Token).ConfigureAwait(false);
        }

        if (asked is null)
        {
            return false;
        }

        attempt.AskedAt ??= attempt.Deadline.Elapsed;
        return attempt.HasAsked = attempt.Deadline.Elapsed - attempt.AskedAt < KeeperAnswer;
    }

    /// <summary>Takes a slot: the slot; or, when the key is held on another host, where this claim cannot wait for it, who holds it; or neither.</summary>
    private async ValueTask<(TakenSlot? Taken, SlotRecord? Elsewhere)> TryTakeAsync(SlotRecord candidate, ClaimAttempt attempt)
    {
        (ClaimRequest request, CancellationToken cancellationToken) = (attempt.Request, attempt.Deadline.Token);
        IAsyncDisposable? working = await context.Store.TryLockSlotAsync(candidate.Slot, cancellationToken).ConfigureAwait(false);
        if (working is null)
        {
            // Somebody works on it, or is about to, or has looked and found the key taken: that passes, and no refusal may rest on it.
            attempt.IsPassing |= candidate.State is not (SlotState.Preparing or SlotState.Cleaning);
            return (null, null);
        }

        SlotRecord? holder;
        EarlyProbe? probe = null;
        try
        {
            probe = EarlyProbe.TryBegin(context.Git, candidate, attempt.Commit!, cancellationToken);
            DateTimeOffset now = context.Now;
            LeaseOwner owner = request.Owner ?? LeaseOwner.ForProcess(context.Processes.Current);
            LeaseToken secret = LeaseToken.Create(candidate.Slot, candidate.Epoch + 1);
            var lease = new LeaseRecord
            {
                Key = request.Key,
                TokenHash = secret.Hash,
                Owner = owner,
                Branch = request.Branch,
                ClaimedAt = now,
                CheckedInAt = now,
                CheckInEvery = request.CheckInEvery,
                Metadata = request.Metadata,
            };
            SlotRecord intent = SlotLifecycle.BeginClaim(candidate, SlotLifecycle.Timed(lease, now, context.Uptime), context.Processes.Current, now);
            StoreResult result = await context.Store.CompareAndSetAsync(candidate.Version, intent, cancellationToken).ConfigureAwait(false);
            if (result.Stored is { } stored)
            {
                return (new TakenSlot(candidate, stored, secret, working, probe), null);
            }

            // The look was stale: no refusal may rest on it.
            attempt.LookAgain = true;
            holder = result.Holder;
        }
        catch
        {
            await LeaveAsync(working, probe).ConfigureAwait(false);
            throw;
        }

        await LeaveAsync(working, probe).ConfigureAwait(false);
        return (null, holder is not null && holder.Host != context.Host ? holder : null);
    }

    private static async ValueTask LeaveAsync(IAsyncDisposable working, EarlyProbe? probe)
    {
        if (probe is not null)
        {
            await probe.DisposeAsync().ConfigureAwait(false);
        }

        await working.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Makes the taken slot ready and hands it over; null when it had to be set aside.</summary>
    private async ValueTask<ClaimOutcome?> PrepareAsync(TakenSlot taken, ClaimAttempt attempt)
    {
        CancellationToken token = attempt.Deadline.Token;
        TimeSpan waited = attempt.Deadline.Elapsed;
        bool reclaimed = taken.Before.State is not (SlotState.Free or SlotState.Absent or SlotState.Quarantined);
        SlotRecord record = taken.Record;
        try
        {
            PreparedSlot prepared = await preparation.RunAsync(record, attempt.Commit!, attempt.Restored, reclaimed, taken.Probe, token).ConfigureAwait(false);
            bool isReady = prepared.Failure is null;
            prepared = await setUp.CompleteAsync(prepared, attempt.Commit!, token).ConfigureAwait(false);
            record = prepared.Record;
            if (prepared.Failure is { } failure)
            {
                if (isReady && SetUpPolicy.ConcernsTheClaim(attempt.Request))
                {
                    throw new SetUpFailedException($"{record.Slot} could not be set up for \"{attempt.Request.Key}\" at {attempt.Commit}: {failure}. The slot was given back; no slot is claimed.");
                }

                PoolLog.Quarantined(context.Logger, context.Name, record.Slot, failure);
                SlotRecord aside = SlotLifecycle.SetAside(record, failure, context.Options.QuarantineBackoff, context.Now);
                HistoryEntry quarantined = journal.About(HistoryEvent.Quarantined, record, null, failure, prepared);
                journal.Tell(quarantined, await context.Store.CompareAndSetAsync(record.Version, aside, quarantined, token).ConfigureAwait(false));
                attempt.Failures.Add($"{record.Slot}: {failure}");
                return null;
            }

            if (attempt.Request.Branch is { } branch)
            {
                await context.Git.StartBranchAsync(record.Place, branch, attempt.Commit!, token).ConfigureAwait(false);
            }

            record = await setUp.CopyInAsync(record, token).ConfigureAwait(false);
            IReadOnlyList<string> healed = taken.Before.State == SlotState.Absent ? [] : prepared.Healed;
            SlotRecord leased = SlotLifecycle.CompleteClaim(record, record.Admin!, attempt.Commit!, healed, context.Now);
            string? why = taken.Before.Yield is not null ? "taken over from the keeper, which gave way" : reclaimed ? $"taken over from a {taken.Before.State.ToString().ToLowerInvariant()} slot whose process or lease had ended" : null;
            TimeSpan preparing = attempt.Deadline.Elapsed - waited;
            HistoryEntry claimed = journal.About(HistoryEvent.Claimed, leased, leased.Lease!.Key, why, prepared with { Healed = healed }) with { Waited = waited, Prepared = preparing };
            StoreResult result = await context.Store.CompareAndSetAsync(record.Version, leased, claimed, token).ConfigureAwait(false);
            leased = result.Stored ?? throw new StateStoreException(
                $"{record.Slot} was prepared for \"{attempt.Request.Key}\", but its record changed meanwhile; the slot is not leased and the next claim heals it. Is another version of the library, or a hand, writing the same pool?");
            journal.Tell(claimed, result);
            PoolLog.Claimed(context.Logger, context.Name, leased.Slot, leased.Lease!.Key, string.Join(' ', healed));
            return new ClaimOutcome(leased, taken.Secret, null, false, healed, prepared.Rescued, waited, preparing);
        }
        catch (BranchExistsException)
        {
            // The slot is ready, and the branch is somebody else's: free the slot, and never delete that branch.
            await GiveBackAsync(record, stored => SlotLifecycle.CompleteClean(stored, record.Admin!, attempt.Commit!, [], context.Now)).ConfigureAwait(false);
            throw;
        }
        catch (Exception e) when (e is OperationCanceledException or WorktreePoolException)
        {
            await GiveBackAsync(record, stored => SlotLifecycle.Abandon(stored, context.Now)).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Best effort: a record that stays "preparing" with a free working lock is taken over by the next claim anyway. The record is read
    /// again, because the preparation that was cut short may have changed it; under the working lock nobody else does.
    /// </summary>
    private async ValueTask GiveBackAsync(SlotRecord taken, Func<SlotRecord, SlotRecord> next)
    {
        using var grace = new Deadline(context.Time, GiveBackGrace, CancellationToken.None);
        try
        {
            PoolState state = await context.ReadAsync(grace.Token).ConfigureAwait(false);
            if (state.Slots.FirstOrDefault(record => record.Slot == taken.Slot && record.Epoch == taken.Epoch && record.State is SlotState.Preparing or SlotState.Leased) is { } stored)
            {
                await context.Store.CompareAndSetAsync(stored.Version, next(stored), grace.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or StateStoreException)
        {
            PoolLog.GiveBackFailed(context.Logger, context.Name, taken.Slot, e.Message);
        }
    }

    /// <summary>A branch that exists is refused before anything is touched, unless it is the remains of a lease of this pool.</summary>
    private async ValueTask CheckBranchAsync(ClaimRequest request, PoolState state, CancellationToken cancellationToken)
    {
        if (request.Branch is not { } branch || state.Slots.Any(record => record.EndedBranch == branch || record.Lease?.Branch == branch))
        {
            return;
        }

        // Git keeps branches as files: beside a branch "a" there can be no "a/b".
        for (int slash = branch.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = branch.IndexOf('/', slash + 1))
        {
            if (await context.Git.ResolveAsync($"refs/heads/{branch[..slash]}", cancellationToken).ConfigureAwait(false) is not null)
            {
                throw new BranchExistsException(
                    $"Branch \"{branch}\" cannot be made, because a branch \"{branch[..slash]}\" exists. No slot was claimed. Choose another name.");
            }
        }

        if (await context.Git.ResolveAsync($"refs/heads/{branch}", cancellationToken).ConfigureAwait(false) is { } commit)
        {
            throw new BranchExistsException(
                $"Branch \"{branch}\" exists already, at {commit}, and is not this pool's. No slot was claimed. Choose another name, delete it, or claim with --base refs/heads/{branch} and a new branch name.");
        }
    }
}
