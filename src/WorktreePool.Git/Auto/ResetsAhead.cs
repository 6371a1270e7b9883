using System.Collections.Concurrent;

namespace WorktreePool.Git.Auto;

/// <summary>For each slot the reset that it was said to get next, as long as nothing else was asked of it.</summary>
/// <param name="plan">Plans one.</param>
internal sealed class ResetsAhead(Func<SlotPlace, string, CancellationToken, PlannedReset> plan) : IDisposable
{
    private readonly ConcurrentDictionary<string, (string Commit, Task<PlannedReset> Plan)> _plans = new(StringComparer.Ordinal);

    /// <summary>Begins to plan one.</summary>
    public void Begin(SlotPlace place, string commit, CancellationToken cancellationToken)
    {
        Drop(place.Slot);
        _plans[place.Slot] = (commit, Task.Run(() => plan(place, commit, cancellationToken), cancellationToken));
    }

    /// <summary>The one to a commit, for the caller to dispose of; null when there is none, or it could not be made.</summary>
    public async ValueTask<PlannedReset?> TakeAsync(string slot, string commit)
    {
        if (!_plans.TryRemove(slot, out (string Commit, Task<PlannedReset> Plan) ahead))
        {
            return null;
        }

        if (ahead.Commit != commit)
        {
            Discard(ahead.Plan);
            return null;
        }

        await ((Task)ahead.Plan).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ahead.Plan.IsCompletedSuccessfully ? await ahead.Plan.ConfigureAwait(false) : null;
    }

    public void Dispose()
    {
        foreach (string slot in _plans.Keys)
        {
            Drop(slot);
        }
    }

    /// <summary>It does not come to that.</summary>
    public void Drop(string slot)
    {
        if (_plans.TryRemove(slot, out (string Commit, Task<PlannedReset> Plan) ahead))
        {
            Discard(ahead.Plan);
        }
    }

    private static void Discard(Task<PlannedReset> plan) => plan.ContinueWith(
        static ended =>
        {
            // To ask why it failed is to have seen it: nobody else will.
            if (ended.Exception is null && !ended.IsCanceled)
            {
                ended.Result.Dispose();
            }
        },
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
