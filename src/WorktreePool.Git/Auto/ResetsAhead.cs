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
        var wanted = new Wanted();
        _plans[place.Slot] = new Ahead(commit, wanted, Task.Run(() => plan(place, commit, () => wanted.IsNow, cancellationToken), cancellationToken));
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

        ahead.Wanted.IsNow = true;
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
        ahead.Wanted.IsNow = true;
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

    private sealed record Ahead(string Commit, Wanted Wanted, Task<PlannedReset> Plan);

    /// <summary>Whether somebody waits for a plan.</summary>
    private sealed class Wanted
    {
        private volatile bool _isNow;

        public bool IsNow
        {
            get => _isNow;
            set => _isNow = value;
        }
    }
}
