namespace WorktreePool.Runtime;

/// <summary>
/// Keeps an operation's promise to end by its deadline when no token can: a call to the file system that hangs hears none. The work
/// ends at the deadline by itself; if it does not, the caller is answered all the same. The work then goes on to where the call returns, with the
/// locks that it holds, so that nobody else touches what it touches.
/// </summary>
internal sealed class Overdue : IDisposable
{
    /// <summary>
    /// What the work may take beyond its deadline to end its git and give back what it has. So far below the 250 ms that are promised that there is time to say why,
    /// also in a process that says it for the first time.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(150);

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
        if (_mayBlock)
        {
            ThreadReserve.Make();
        }

        _timer = context.Time.CreateTimer(_ => _passed.TrySetResult(), null, budget + Grace, Timeout.InfiniteTimeSpan);
        _cancelled = caller.UnsafeRegister(_ => _timer.Change(Grace, Timeout.InfiniteTimeSpan), null);
    }

    /// <summary>Begins the work: not on the caller's thread if its first call may already hang, or the caller could not be answered.</summary>
    public Task<T> Begin<T>(Func<Task<T>> work) => _mayBlock ? Task.Run(work) : work();

    /// <summary>Whether work ended in time.</summary>
    public async ValueTask<bool> IsDoneInTimeAsync(Task work)
    {
        await Task.WhenAny(work, _passed.Task).ConfigureAwait(false);
        if (_mayBlock && !work.IsCompleted)
        {
            _ = ThreadReserve.ReplaceAsync(work);
        }

        return work.IsCompleted;
    }

    public void Dispose()
    {
        _cancelled.Dispose();
        _timer.Dispose();
    }
}
