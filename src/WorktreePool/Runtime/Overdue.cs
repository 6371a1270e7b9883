namespace WorktreePool.Runtime;

/// <summary>
/// Keeps an operation's promise to end by its deadline when no token can: a call to the file system that hangs hears none. The work
/// ends at the deadline by itself; if it does not, the caller is answered all the same. The work then goes on to where the call returns, with the
/// locks that it holds, so that nobody else touches what it touches.
/// </summary>
internal sealed class Overdue : IDisposable
{
    /// <summary>What the work may take beyond its deadline to give back what it has. Below the 250 ms that are promised.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(220);

    private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _cancelled;
    private readonly bool _mayBlock;

    /// <param name="context">The pool's.</param>
    /// <param name="budget">How long the work may take.</param>
    /// <param name="caller">Ends it before.</param>
    public Overdue(PoolContext context, TimeSpan budget, CancellationToken caller)
    {
        _mayBlock = context.Store.MayBlock;
        _timer = context.Time.CreateTimer(_ => _passed.TrySetResult(), null, budget + Grace, Timeout.InfiniteTimeSpan);
        _cancelled = caller.UnsafeRegister(_ => _timer.Change(Grace, Timeout.InfiniteTimeSpan), null);
    }

    /// <summary>Begins the work: on a thread of its own if its first call may already hang, or the caller could not be answered.</summary>
    public Task<T> Begin<T>(Func<Task<T>> work) => _mayBlock ? Task.Run(work) : work();

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
