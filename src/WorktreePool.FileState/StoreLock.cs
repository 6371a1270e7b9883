using System.Diagnostics.CodeAnalysis;

namespace WorktreePool.FileState;

/// <summary>The short lock that every change is made under. Held for a few file operations, never across anything that waits.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore has nothing to dispose unless its wait handle is used, and work may still be under way.")]
internal sealed class StoreLock(string path, TimeProvider time)
{
    /// <summary>How long to wait before the lock is tried again: it is held for about a millisecond.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(2);

    /// <summary>Far more than any queue of live processes needs: a holder that is stopped or hangs on a dead disk.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Threads of this process queue here, in order, instead of trying in turns.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);

    private volatile bool _proven;

    /// <summary>Whether locks were seen to work here.</summary>
    public bool IsProven => _proven;

    /// <summary>Does short, synchronous work under the lock.</summary>
    public async ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await _turn.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Stuck();
        }

        try
        {
            using FileStream held = await TakeAsync(either.Token).ConfigureAwait(false);
            if (!_proven)
            {
                FileLock.Prove(path);
                _proven = true;
            }

            return work();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Stuck();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<FileStream> TakeAsync(CancellationToken cancellationToken)
    {
        FileStream? held;
        while ((held = FileLock.TryTake(path)) is null)
        {
            await Task.Delay(Retry * (1 + Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }

        return held;
    }

    private StateStoreException Stuck() => new(
        $"The pool's state could not be changed: another process has held {path} for {Patience.TotalSeconds:0} s, and a healthy one holds it for milliseconds. Nothing was changed. Find the process (fuser {path}), and end it if it hangs; never delete the file.");
}
