using System.Runtime.CompilerServices;
using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// Claims: choose a slot, take it (working lock, then compare-and-set to preparing), make it ready, hand it over. A slot that cannot be
/// made ready is set aside and the claim goes on with the next one inside its deadline.
/// </summary>
internal sealed class Claiming(
    PoolContext context, BaseResolver bases, SlotPreparation preparation, PoolJournal journal, Refusals refusals, SlotRoster roster, WaitingLine line)
{
    /// <summary>How often a waiting claim looks whether an owner has died: no store can notify of that.</summary>
    private static readonly TimeSpan OwnerCheckInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>What a claim may take beyond its end to give its slot back.</summary>
    private static readonly TimeSpan GiveBackGrace = TimeSpan.FromMilliseconds(200);

    /// <summary>Claims.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="mayWait">Whether to wait for a slot that somebody holds.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async ValueTask<ClaimOutcome> RunAsync(ClaimRequest request, bool mayWait, CancellationToken cancellationToken)
    {
        Check(request);
        mayWait &= request.Wait != TimeSpan.Zero;
        TimeSpan limit = context.Options.ClaimTimeout;
        TimeSpan budget = mayWait && request.Wait is { } wait && (context.Options.HostTaskTimeout is null || wait < limit) ? wait : limit;
        using var deadline = new Deadline(context.Time, budget, cancellationToken);
        var attempt = new ClaimAttempt(request, deadline);
        try
        {
            await roster.EnsureAsync(deadline.Token).ConfigureAwait(false);
            using WaitingLine.Place place = line.Join();
            while (true)
            {
                if (mayWait)
                {
                    await place.WaitForTurnAsync(deadline.Token).ConfigureAwait(false);
                }

                if (await TryOnceAsync(attempt, place, mayWait).ConfigureAwait(false) is { } outcome)
                {
                    return outcome;
                }

                if (place.HasLeft)
                {
                    // The slot it had taken could not be made ready: look again at once.
                    place.Rejoin();
                    continue;
                }

                await WaitForChangeAsync(attempt).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            PoolState state = attempt.State ?? new PoolState(new PoolRecord(), [], "");
            return ClaimOutcome.Refused(refusals.NoSlot(request, state, mayWait ? budget : deadline.Elapsed, attempt.Failures));
        }
    }

    /// <summary>One look at the pool: an outcome, or null to look again after a change.</summary>
    private async ValueTask<ClaimOutcome?> TryOnceAsync(ClaimAttempt attempt, WaitingLine.Place place, bool mayWait)
    {
        ClaimRequest request = attempt.Request;
        CancellationToken token = attempt.Deadline.Token;
        PoolState state = attempt.State = await context.Store.ReadAsync(token).ConfigureAwait(false);
        if (request.Token is { } held)
        {
            SlotRecord? leased = state.Slots.FirstOrDefault(record => PoolLease.Proves(record, held) && record.Lease!.Key == request.Key);
            return leased is null ? ClaimOutcome.Refused(refusals.LeaseLost(request, state)) : ClaimOutcome.Attached(leased, held);
        }

        if (state.Pool.Paused is not null)
        {
            return ClaimOutcome.Refused(refusals.Paused(request, state));
        }

        attempt.Commit ??= await bases.ResolveAsync(request.Base, state.Pool, attempt.Deadline).ConfigureAwait(false);
        ClaimChoice choice = ClaimSelection.Choose(state.Slots, request.Key, attempt.Commit, context.Host, context.LivenessOf, context.Now);
        if (choice is { KeyHolder: { } holder, Candidates.Count: 0 })
        {
            return ClaimOutcome.Refused(refusals.KeyHeld(request, state, holder));
        }

        await CheckBranchAsync(request, state, token).ConfigureAwait(false);
        foreach (SlotRecord candidate in choice.Candidates)
        {
            if (await TryTakeAsync(candidate, request, token).ConfigureAwait(false) is { } taken)
            {
                // From here on nobody need wait for this claim: the others' turn has come.
                place.Leave();
                return await PrepareAsync(taken, attempt).ConfigureAwait(false);
            }
        }

        if (choice.KeyHolder is { } busy && (busy.State == SlotState.Preparing || !mayWait))
        {
            return ClaimOutcome.Refused(refusals.KeyHeld(request, state, busy));
        }

        return mayWait ? null : ClaimOutcome.Refused(refusals.NoSlot(request, state, null, attempt.Failures));
    }

    private async ValueTask<TakenSlot?> TryTakeAsync(SlotRecord candidate, ClaimRequest request, CancellationToken cancellationToken)
    {
        IAsyncDisposable? working = await context.Store.TryLockSlotAsync(candidate.Slot, cancellationToken).ConfigureAwait(false);
        if (working is null)
        {
            return null;
        }

        try
        {
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
                ExpiresAt = owner.Duration is { } duration ? now + duration : null,
                Metadata = request.Metadata,
            };
            SlotRecord intent = SlotLifecycle.BeginClaim(candidate, lease, context.Processes.Current, now);
            StoreResult result = await context.Store.CompareAndSetAsync(candidate.Version, intent, cancellationToken).ConfigureAwait(false);
            if (result.Stored is { } stored)
            {
                return new TakenSlot(candidate, stored, secret, working);
            }
        }
        catch
        {
            await working.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await working.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    /// <summary>Makes the taken slot ready and hands it over; null when it had to be set aside.</summary>
    private async ValueTask<ClaimOutcome?> PrepareAsync(TakenSlot taken, ClaimAttempt attempt)
    {
        await using ConfiguredAsyncDisposable working = taken.Working.ConfigureAwait(false);
        CancellationToken token = attempt.Deadline.Token;
        TimeSpan waited = attempt.Deadline.Elapsed;
        bool reclaimed = taken.Before.State is not (SlotState.Free or SlotState.Absent or SlotState.Quarantined);
        SlotRecord record = taken.Record;
        try
        {
            PreparedSlot prepared = await preparation.RunAsync(record, attempt.Commit!, reclaimed, token).ConfigureAwait(false);
            record = prepared.Record;
            if (prepared.Failure is { } failure)
            {
                PoolLog.Quarantined(context.Logger, context.Name, record.Slot, failure);
                SlotRecord aside = SlotLifecycle.SetAside(record, failure, context.Options.QuarantineBackoff, context.Now);
                await context.Store.CompareAndSetAsync(record.Version, aside, token).ConfigureAwait(false);
                await journal.WriteAsync(journal.About(HistoryEvent.Quarantined, record, null, failure, prepared), token).ConfigureAwait(false);
                attempt.Failures.Add($"{record.Slot}: {failure}");
                return null;
            }

            if (attempt.Request.Branch is { } branch)
            {
                await context.Git.StartBranchAsync(record.Place, branch, attempt.Commit!, token).ConfigureAwait(false);
            }

            IReadOnlyList<string> healed = taken.Before.State == SlotState.Absent ? [] : prepared.Healed;
            SlotRecord leased = SlotLifecycle.CompleteClaim(record, record.Admin!, attempt.Commit!, healed, context.Now);
            StoreResult result = await context.Store.CompareAndSetAsync(record.Version, leased, token).ConfigureAwait(false);
            leased = result.Stored ?? throw new StateStoreException(
                $"{record.Slot} was prepared for \"{attempt.Request.Key}\", but its record changed meanwhile; the slot is not leased and the next claim heals it. Is another version of the library, or a hand, writing the same pool?");
            string? why = reclaimed ? $"taken over from a {taken.Before.State.ToString().ToLowerInvariant()} slot whose process or lease had ended" : null;
            await journal.WriteAsync(journal.About(HistoryEvent.Claimed, leased, leased.Lease!.Key, why, prepared with { Healed = healed }), token).ConfigureAwait(false);
            PoolLog.Claimed(context.Logger, context.Name, leased.Slot, leased.Lease.Key, string.Join(' ', healed));
            return new ClaimOutcome(leased, taken.Secret, null, false, healed, prepared.Rescued, waited, attempt.Deadline.Elapsed - waited);
        }
        catch (BranchExistsException)
        {
            // The slot is ready, and the branch is somebody else's: free the slot, and never delete that branch.
            await GiveBackAsync(record.Version, SlotLifecycle.CompleteClean(record, record.Admin!, attempt.Commit!, [], context.Now)).ConfigureAwait(false);
            throw;
        }
        catch (Exception e) when (e is OperationCanceledException or WorktreePoolException)
        {
            await GiveBackAsync(record.Version, SlotLifecycle.Abandon(record, context.Now)).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Best effort: a record that stays "preparing" with a free working lock is taken over by the next claim anyway.</summary>
    private async ValueTask GiveBackAsync(long version, SlotRecord next)
    {
        using var grace = new Deadline(context.Time, GiveBackGrace, CancellationToken.None);
        try
        {
            await context.Store.CompareAndSetAsync(version, next, grace.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or StateStoreException)
        {
            PoolLog.GiveBackFailed(context.Logger, context.Name, next.Slot, e.Message);
        }
    }

    private async ValueTask WaitForChangeAsync(ClaimAttempt attempt)
    {
        using var moment = new Deadline(context.Time, OwnerCheckInterval, attempt.Deadline.Token);
        try
        {
            await context.Store.WaitForChangeAsync(attempt.State!.Stamp, moment.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (moment.HasPassed)
        {
        }
    }

    private static void Check(ClaimRequest request)
    {
        if (Names.WhyNotKey(request.Key) is { } badKey)
        {
            throw new ArgumentException(badKey, nameof(request));
        }

        if (request.Branch is { } branch && Names.WhyNotBranch(branch) is { } badBranch)
        {
            throw new ArgumentException(badBranch, nameof(request));
        }

        if (request.Wait < TimeSpan.Zero)
        {
            throw new ArgumentException($"Wait is {request.Wait}; it must be zero or more.", nameof(request));
        }
    }

    /// <summary>A branch that exists is refused before anything is touched, unless it is the remains of a lease of this pool.</summary>
    private async ValueTask CheckBranchAsync(ClaimRequest request, PoolState state, CancellationToken cancellationToken)
    {
        if (request.Branch is not { } branch || state.Slots.Any(record => record.EndedBranch == branch || record.Lease?.Branch == branch))
        {
            return;
        }

        if (await context.Git.ResolveAsync($"refs/heads/{branch}", cancellationToken).ConfigureAwait(false) is { } commit)
        {
            throw new BranchExistsException(
                $"Branch \"{branch}\" exists already, at {commit}, and is not this pool's. No slot was claimed. Choose another name, delete it, or claim with --base refs/heads/{branch} and a new branch name.");
        }
    }
}
