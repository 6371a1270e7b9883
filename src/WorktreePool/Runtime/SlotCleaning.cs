using System.Runtime.CompilerServices;
using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// The one path on which a slot becomes free: release, reclaim, heal and provisioning all come here. Takes the working lock, writes the
/// intent, makes the slot ready at the base, and frees it or sets it aside.
/// </summary>
internal sealed class SlotCleaning(PoolContext context, BaseResolver bases, SlotPreparation preparation, SlotSetUp setUp, RepositoryCare care, PoolJournal journal)
{
    /// <summary>Takes the working lock and records the intent: from then on the slot is nobody's, whatever becomes of this process.</summary>
    /// <param name="before">Its record as read.</param>
    /// <param name="releasing">How the holder releases it; null when nobody does: then it is housekeeping, which gives way to a claim.</param>
    /// <param name="deadline">When it must be over.</param>
    /// <returns>For <see cref="EndAsync"/>, which must follow; null when somebody else works on the slot or its record has changed.</returns>
    public async ValueTask<BegunCleaning?> TryBeginAsync(SlotRecord before, ReleaseMode? releasing, Deadline deadline)
    {
        IAsyncDisposable? working = await context.Store.TryLockSlotAsync(before.Slot, deadline.Token).ConfigureAwait(false);
        if (working is null)
        {
            return null;
        }

        try
        {
            SlotRecord intent = SlotLifecycle.BeginClean(before, releasing, context.Processes.Current, context.Now, yields: releasing is null);
            if ((await context.Store.CompareAndSetAsync(before.Version, intent, deadline.Token).ConfigureAwait(false)).Stored is { } record)
            {
                return new BegunCleaning(before, record, working);
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

    /// <summary>Makes the slot ready at the base, and frees it or sets it aside. Out of time, it is left for the next process to take over.</summary>
    /// <param name="begun">From <see cref="TryBeginAsync"/>.</param>
    /// <param name="what">What to call it in the history.</param>
    /// <param name="deadline">When it must be over.</param>
    public async ValueTask<CleanedSlot> EndAsync(BegunCleaning begun, HistoryEvent what, Deadline deadline)
    {
        await using ConfiguredAsyncDisposable working = begun.Working.ConfigureAwait(false);
        if (what == HistoryEvent.Reclaimed)
        {
            PoolLog.Reclaimed(context.Logger, context.Name, begun.Before.Slot, Why(begun.Before));
        }

        // Before git is asked anything: what it is asked in may be what somebody made of it.
        IReadOnlyList<Finding> restored = await care.RestoreAsync(deadline.Token).ConfigureAwait(false);
        PoolRecord pool = (await context.ReadAsync(deadline.Token).ConfigureAwait(false)).Pool;
        string commit = await bases.ResolveAsync(null, null, pool, deadline).ConfigureAwait(false);
        bool takenOver = begun.Before.State is SlotState.Preparing or SlotState.Cleaning;
        PreparedSlot prepared = await preparation.RunAsync(begun.Record, commit, restored, takenOver, begun: null, deadline.Token).ConfigureAwait(false);

        // Nobody waits for a pass of the keeper, but a releasing holder does for its release.
        prepared = what == HistoryEvent.Released
            ? await setUp.PruneAsync(prepared, deadline.Token).ConfigureAwait(false)
            : await setUp.CompleteAsync(prepared, commit, deadline.Token).ConfigureAwait(false);
        return await RecordAsync(begun.Before, prepared, commit, what, deadline.Token).ConfigureAwait(false);
    }

    private async ValueTask<CleanedSlot> RecordAsync(SlotRecord before, PreparedSlot prepared, string commit, HistoryEvent what, CancellationToken cancellationToken)
    {
        SlotRecord record = prepared.Record;
        bool failed = prepared.Failure is not null;

        // What a holder leaves behind is no damage: only a slot that should have been ready counts as healed.
        IReadOnlyList<string> healed = what is HistoryEvent.Released or HistoryEvent.Provisioned ? [] : prepared.Healed;
        SlotRecord next = failed
            ? SlotLifecycle.SetAside(record, prepared.Failure!, context.Options.QuarantineBackoff, context.Now)
            : SlotLifecycle.CompleteClean(record, record.Admin!, commit, healed, context.Now);
        HistoryEntry entry = journal.About(failed ? HistoryEvent.Quarantined : what, next, before.Lease?.Key, prepared.Failure ?? (what == HistoryEvent.Reclaimed ? Why(before) : null), prepared);
        StoreResult result = await context.StoreOwnAsync(next, entry, cancellationToken).ConfigureAwait(false);
        SlotRecord stored = result.Stored ?? throw new StateStoreException(
            $"{before.Slot} was cleaned, but its record changed meanwhile and was left as it is. Is another version of the library, or a hand, writing the same pool?");
        if (failed)
        {
            PoolLog.Quarantined(context.Logger, context.Name, before.Slot, prepared.Failure!);
        }

        journal.Tell(entry, result);
        return new CleanedSlot(stored, prepared, commit);
    }

    private static string Why(SlotRecord before) => before.State switch
    {
        SlotState.Leased => $"the owner of {before.Lease?.Key} is gone or its lease ran out",
        _ => $"a process died while the slot was {(before.State == SlotState.Preparing ? "prepared" : "cleaned")}",
    };
}

/// <summary>A cleaning whose intent is recorded: the record before, the record now, and the working lock.</summary>
internal sealed record BegunCleaning(SlotRecord Before, SlotRecord Record, IAsyncDisposable Working);

/// <summary>How a cleaning ended.</summary>
/// <param name="Record">The stored record: free, or quarantined.</param>
/// <param name="Prepared">What was found and kept.</param>
/// <param name="Commit">The commit it was to be left at.</param>
internal sealed record CleanedSlot(SlotRecord Record, PreparedSlot Prepared, string Commit);
