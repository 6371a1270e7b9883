using System.Collections.Concurrent;

namespace WorktreePool.Git.Auto;

/// <summary>For each slot the reset that it was said to get next, as long as nothing else was asked of it.</summary>
/// <param name="plan">Plans one, until it is told that it is enough.</param>
internal sealed class ResetsAhead(Func<SlotPlace, string, Func<bool>, CancellationToken, PlannedReset> plan) : IDisposable
{
    private readonly ConcurrentDictionary<string, Ahead> _plans = new(StringComparer.Ordinal);

    /// <summary>Begins to plan one.</summary>
    public void Begin(SlotPlace place, string commit, CancellationToken cancellationToken)
    {
        Drop(place.Slot);
        _plans[place.Slot] = new Ahead(commit, isEnough => plan(place, commit, isEnough, cancellationToken), cancellationToken);
    }

    /// <summary>The one to a commit, for the caller to dispose of; null when there is none, or it could not be made.</summary>
    public async ValueTask<PlannedReset?> TakeAsync(string slot, string commit)
    {
        if (!_plans.TryRemove(slot, out Ahead? ahead))
        {
            return null;
        }

        if (ahead.Commit != commit)
        {
            Discard(ahead);
            return null;
        }

        ahead.StopReading();
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
        if (_plans.TryRemove(slot, out Ahead? ahead))
        {
            Discard(ahead);
        }
    }

    private static void Discard(Ahead ahead)
    {
        ahead.StopReading();
        ahead.Plan.ContinueWith(
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

    /// <summary>One that was begun.</summary>
    private sealed class Ahead
    {
        private volatile bool _isEnough;

        public Ahead(string commit, Func<Func<bool>, PlannedReset> plan, CancellationToken cancellationToken)
        {
            Commit = commit;
            Plan = Task.Run(() => plan(() => _isEnough), cancellationToken);
        }

        public string Commit { get; }

        public Task<PlannedReset> Plan { get; }

        /// <summary>Somebody waits for it, or nobody wants it.</summary>
        public void StopReading() => _isEnough = true;
    }
}
