namespace WorktreePool.Runtime;

/// <summary>
/// Keeps an operation's promise to end by its deadline when no token can: a call to the file system that hangs hears none. The work
/// ends at the deadline by itself; if it does not, the caller is answered all the same. The work then goes on to where the call returns, with the
/// locks that it holds, so that nobody else touches what it touches. Stores leave the caller's thread before they touch a disk.
/// </summary>
internal sealed class Overdue : IDisposable
{
    /// <summary>What the work may take beyond its deadline to give back what it has. Below the 250 ms that are promised.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(220);

    private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _cancelled;

    /// <param name="time">The clock.</param>
    /// <param name="budget">How long the work may take.</param>
    /// <param name="caller">Ends it before.</param>
    public Overdue(TimeProvider time, TimeSpan budget, CancellationToken caller)
    {
        _timer = time.CreateTimer(_ => _passed.TrySetResult(), null, budget + Grace, Timeout.InfiniteTimeSpan);
        _cancelled = caller.UnsafeRegister(_ => _timer.Change(Grace, Timeout.InfiniteTimeSpan), null);
    }

    /// <summary>Whether work ended in time.</summary>
    public async ValueTask<bool> IsDoneInTimeAsync(Task work)
    {
        await Task.WhenAny(work, _passed.Task).ConfigureAwait(false);
        return work.IsCompleted;
    }

    public void Dispose()
    {
        _cancelled.Dispose();
        _timer.Dispose();
    }
}
