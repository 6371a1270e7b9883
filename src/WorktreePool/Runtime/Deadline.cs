namespace WorktreePool.Runtime;

/// <summary>A point in monotonic time by which an operation ends, and the token that every await of it takes.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _budget;
    private readonly long _start;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _linked;

    public Deadline(TimeProvider time, TimeSpan budget, CancellationToken caller)
    {
        (_time, _budget, _start, _caller) = (time, budget, time.GetTimestamp(), caller);
        _timer = new CancellationTokenSource(budget, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(caller, _timer.Token);
    }

    /// <summary>Cancelled by the caller or by time.</summary>
    public CancellationToken Token => _linked.Token;

    /// <summary>Whether time ran out, rather than the caller having cancelled.</summary>
    public bool HasPassed => _timer.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>How long it has been running.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_start);

    /// <summary>How much is left; never negative.</summary>
    public TimeSpan Left => _budget - Elapsed is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    public void Dispose()
    {
        _linked.Dispose();
        _timer.Dispose();
    }
}
