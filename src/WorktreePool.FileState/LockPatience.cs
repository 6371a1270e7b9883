namespace WorktreePool.FileState;

/// <summary>How long one waits for the store lock, counted from the first moment in which there is something to wait for: most often there is nothing.</summary>
/// <param name="length">So long.</param>
/// <param name="time">The clock.</param>
/// <param name="caller">Ends the wait before.</param>
internal sealed class LockPatience(TimeSpan length, TimeProvider time, CancellationToken caller) : IDisposable
{
    private CancellationTokenSource? _patience, _either;

    /// <summary>Whether it has ended, and not the caller.</summary>
    public bool HasEnded => !caller.IsCancellationRequested;

    /// <summary>Ends the wait.</summary>
    public CancellationToken Token
    {
        get
        {
            _patience ??= new CancellationTokenSource(length, time);
            _either ??= CancellationTokenSource.CreateLinkedTokenSource(caller, _patience.Token);
            return _either.Token;
        }
    }

    public void Dispose()
    {
        _either?.Dispose();
        _patience?.Dispose();
    }
}
