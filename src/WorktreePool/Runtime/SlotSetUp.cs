using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// Keeps slots warm: runs the set-up steps that a ready slot needs, takes out what is stale, and copies files in for a holder. The caller holds the
/// slot's working lock. Every change of the disk is recorded before it is made, so that after a crash nothing unfinished passes for finished.
/// </summary>
internal sealed class SlotSetUp(PoolContext context)
{
    private readonly Leftovers _leftovers = new(context);

    private IList<SetUpStep> Steps => context.Options.SetUp;

    private ISetUpRunner Runner => context.SetUp!;

    /// <summary>How long all steps may take together.</summary>
    public TimeSpan Budget => Steps.Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Timeout);

    /// <summary>Runs the steps whose results are not in the slot, or not any more.</summary>
    /// <param name="prepared">A ready slot; a failed preparation is passed on.</param>
    /// <param name="commit">The commit it stands at.</param>
    /// <param name="cancellationToken">The deadline.</param>
    /// <returns>The slot with its steps done, or with the reason why it is not.</returns>
    public ValueTask<PreparedSlot> CompleteAsync(PreparedSlot prepared, string commit, CancellationToken cancellationToken) =>
        WorkAsync(prepared, runs: true, commit, cancellationToken);

    /// <summary>Removes what steps made that is not as it should be, and leaves it to the next claim or keeper's pass to make it anew.</summary>
    /// <param name="prepared">A ready slot; a failed preparation is passed on.</param>
    /// <param name="cancellationToken">The deadline.</param>
    public ValueTask<PreparedSlot> PruneAsync(PreparedSlot prepared, CancellationToken cancellationToken) =>
        WorkAsync(prepared, runs: false, "", cancellationToken);

    /// <summary>Whether a free slot seems to need no step. Does not look at what they made: that is dear, and a claim does it anyway.</summary>
    public async ValueTask<bool> SeemsFreshAsync(SlotRecord record, CancellationToken cancellationToken)
    {
        for (int place = 0; place < Steps.Count; place++)
        {
            if (SetUpPolicy.StampOf(record, place, Steps[place].Name) is not { } stamp
                || !SetUpPolicy.IsFresh(stamp, await Runner.FingerprintAsync(record.Place, Steps[place], cancellationToken).ConfigureAwait(false), made: null))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Copies the configured files in, for the slot's next holder.</summary>
    /// <exception cref="SetUpFailedException">One cannot be copied.</exception>
    public async ValueTask<SlotRecord> CopyInAsync(SlotRecord record, CancellationToken cancellationToken)
    {
        if (context.Options.Copy.Count == 0)
        {
            return record;
        }

        record = await StoreAsync(record, (record.SetUp ?? SetUpRecord.None) with { Copied = [.. context.Options.Copy] }, cancellationToken).ConfigureAwait(false);
        await Runner.CopyAsync(record.Place, record.SetUp!.Copied, cancellationToken).ConfigureAwait(false);
        return record;
    }

    /// <summary>Takes out what was copied in: it is the pool's, and no rescue must find it.</summary>
    public static async ValueTask TakeCopiesOutAsync(PoolContext context, SlotRecord record, CancellationToken cancellationToken)
    {
        if (record.SetUp is { Copied.Count: > 0 } setUp && context.SetUp is { } runner)
        {
            await runner.RemoveCopiesAsync(record.Place, setUp.Copied, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<PreparedSlot> WorkAsync(PreparedSlot prepared, bool runs, string commit, CancellationToken cancellationToken)
    {
        if (prepared.Failure is not null || (Steps.Count == 0 && prepared.Record.SetUp is not { Steps.Count: > 0 }))
        {
            return prepared;
        }

        var work = new Work(prepared.Record);
        try
        {
            int fresh = await CountFreshAsync(work.Record, cancellationToken).ConfigureAwait(false);
            await DropFromAsync(work, fresh, cancellationToken).ConfigureAwait(false);
            string? failure = runs && fresh < Steps.Count ? await RunFromAsync(work, fresh, commit, cancellationToken).ConfigureAwait(false) : null;
            return prepared with { Record = work.Record, Failure = failure };
        }
        catch (Exception e) when (e is SetUpFailedException or GitBackendException)
        {
            return prepared with { Record = work.Record, Failure = e.Message };
        }
    }

    /// <summary>How many steps, from the first on, need not run: a later one may rest on what an earlier one made.</summary>
    private async ValueTask<int> CountFreshAsync(SlotRecord record, CancellationToken cancellationToken)
    {
        for (int place = 0; place < Steps.Count; place++)
        {
            if (SetUpPolicy.StampOf(record, place, Steps[place].Name) is not { } stamp)
            {
                return place;
            }

            string fingerprint = await Runner.FingerprintAsync(record.Place, Steps[place], cancellationToken).ConfigureAwait(false);
            if (!SetUpPolicy.IsFresh(stamp, fingerprint, await Runner.ExamineAsync(record.Place, Steps[place], cancellationToken).ConfigureAwait(false)))
            {
                return place;
            }
        }

        return Steps.Count;
    }

    /// <summary>Forgets the steps from one on, then removes what they made, the last first.</summary>
    private async ValueTask DropFromAsync(Work work, int first, CancellationToken cancellationToken)
    {
        if (work.Record.SetUp is { } setUp && setUp.Steps.Count > first)
        {
            work.Record = await StoreAsync(work.Record, setUp with { Steps = [.. setUp.Steps.Take(first)] }, cancellationToken).ConfigureAwait(false);
        }

        for (int place = Steps.Count - 1; place >= first; place--)
        {
            await Runner.RemoveMadeAsync(work.Record.Place, Steps[place], cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs the steps from one on; why the slot cannot be used then, or null.</summary>
    private async ValueTask<string?> RunFromAsync(Work work, int first, string commit, CancellationToken cancellationToken)
    {
        // A step may need what is copied, for example the credentials of a package registry.
        work.Record = await CopyInAsync(work.Record, cancellationToken).ConfigureAwait(false);
        List<SetUpStamp> stamps = [.. work.Record.SetUp?.Steps ?? []];
        List<string> fingerprints = [];
        for (int place = first; place < Steps.Count; place++)
        {
            fingerprints.Add(await Runner.FingerprintAsync(work.Record.Place, Steps[place], cancellationToken).ConfigureAwait(false));
            long start = context.Time.GetTimestamp();
            await Runner.RunAsync(work.Record.Place, Steps[place], cancellationToken).ConfigureAwait(false);
            PoolLog.SetUpRan(context.Logger, context.Name, work.Record.Slot, Steps[place].Name, context.Time.GetElapsedTime(start).TotalSeconds);
        }

        if (await _leftovers.EndAsync(work.Record, cancellationToken).ConfigureAwait(false) is { } busy)
        {
            return $"after its set-up steps, {busy}";
        }

        await TakeCopiesOutAsync(context, work.Record, cancellationToken).ConfigureAwait(false);
        SlotProbe probe = await context.Git.ProbeAsync(work.Record.Place, new SlotTarget(commit), cancellationToken).ConfigureAwait(false);
        if (!probe.IsReady)
        {
            return $"its set-up steps ({string.Join(", ", Steps.Skip(first).Select(step => step.Name))}) left {string.Join("; ", probe.Findings)}. What a step makes must be untracked and named in its Makes; nothing else may change";
        }

        for (int place = first; place < Steps.Count; place++)
        {
            string made = await Runner.ExamineAsync(work.Record.Place, Steps[place], cancellationToken).ConfigureAwait(false);
            stamps.Add(new SetUpStamp(Steps[place].Name, fingerprints[place - first], made));
        }

        work.Record = await StoreAsync(work.Record, new SetUpRecord([], stamps), cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<SlotRecord> StoreAsync(SlotRecord record, SetUpRecord setUp, CancellationToken cancellationToken)
    {
        StoreResult result = await context.Store.CompareAndSetAsync(record.Version, SlotLifecycle.PutIn(record, setUp, context.Now), cancellationToken).ConfigureAwait(false);
        return result.Stored ?? throw new StateStoreException(
            $"The record of {record.Slot} changed while this process set the slot up under its lock. The slot was left as it is; the next claim heals it. Is another version of the library, or a hand, writing the same pool?");
    }

    /// <summary>The record as now stored, whatever fails.</summary>
    private sealed class Work(SlotRecord record)
    {
        public SlotRecord Record { get; set; } = record;
    }
}
