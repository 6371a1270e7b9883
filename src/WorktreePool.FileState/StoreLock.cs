using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>The short lock that every change is made under. Held for a few file operations, never across anything that waits.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore has nothing to dispose unless its wait handle is used, and work may still be under way.")]
internal sealed class StoreLock(string path, TimeProvider time)
{
    /// <summary>From when on a holder is looked at: one that is stopped is told to continue.</summary>
    private static readonly TimeSpan Suspicion = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often the lock is tried at once, giving way to others. Its holder waits for the disk for most of a tenth of a millisecond; to stand in the kernel's line costs two changes
    /// of threads. With one try four processes do a tenth less than with 5 or more (the contention benchmark).
    /// </summary>
    private const int Tries = 60;

    /// <summary>The same for one who only looks: a reader has the lock for a moment (<see cref="KnownState"/>).</summary>
    private const int Looks = 5;

    /// <summary>How long to wait between two tries after that, where one cannot stand in the kernel's line.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(1);

    /// <summary>Far more than any queue of live processes needs: a holder that is stopped or hangs on a dead disk.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Threads of this process queue here, in order, instead of trying in turns.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);

    private readonly LockQueue _queue = new(path);

    private volatile bool _proven;

    private readonly LockTime _time = new(time);

    /// <summary>Whom the last waiter of this process found in its way.</summary>
    private volatile LockHolder? _seen;

    /// <summary>Whether locks were seen to work here.</summary>
    public bool IsProven => _proven;

    /// <summary>Who holds the lock for longer than a change takes; null when nobody does.</summary>
    public LockHolder? FindStuckHolder()
    {
        // Opened to read, or who waits for a change would be woken.
        SafeFileHandle? busy = null;
        FileLock? free = File.Exists(path) ? FileLock.TryTake(path, FileAccess.Read, Looks, out busy) : null;
        busy?.Dispose();
        if (free is null)
        {
            // Its time is set by whoever takes it. A clock that was set back shows in a time to come.
            return File.Exists(path) && (time.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(path)).Duration() > Suspicion ? _seen ?? LockHolder.Find(path) : null;
        }

        free.Dispose();
        _seen = null;
        return null;
    }

    /// <summary>Does short, synchronous work under the lock, and then, without it, what the work has left for later (<see cref="Held.Later"/>).</summary>
    /// <param name="work">The work.</param>
    /// <param name="access">Whether it changes the state, which those who wait for a change are told.</param>
    /// <param name="continued">Told, under the lock too, of a process that was stopped while it held the lock and was told to continue.</param>
    /// <param name="cancellationToken">Ends the wait for the lock.</param>
    public async ValueTask<T> RunAsync<T>(Func<Held, T> work, FileAccess access, Action<LockHolder> continued, CancellationToken cancellationToken)
    {
        (T result, Held held) = await RunAloneAsync(work, access, continued, cancellationToken).ConfigureAwait(false);
        held.DoLater();
        return result;
    }

    private async ValueTask<(T Result, Held Held)> RunAloneAsync<T>(Func<Held, T> work, FileAccess access, Action<LockHolder> continued, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var patience = new LockPatience(Patience, time, cancellationToken);
        try
        {
            if (!_turn.Wait(0, CancellationToken.None))
            {
                await _turn.WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (patience.HasEnded)
        {
            throw Stuck();
        }

        try
        {
            (FileLock taken, LockHolder? stopped) = await TakeAsync(access, patience).ConfigureAwait(false);
            using FileLock given = taken;
            _time.Set(given);
            if (!_proven)
            {
                FileLock.Prove(path);
                _proven = true;
            }

            if (stopped is not null)
            {
                continued(stopped);
            }

            var held = new Held(given.File);
            return (work(held), held);
        }
        catch (OperationCanceledException) when (patience.HasEnded)
        {
            throw Stuck();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<(FileLock Held, LockHolder? Stopped)> TakeAsync(FileAccess access, LockPatience patience)
    {
        (FileLock held, LockHolder? stopped) = _queue.Enter(access, Tries) is not { } place
            ? await RetryAsync(patience.Token).ConfigureAwait(false)
            : place.IsCompletedSuccessfully
                ? (await place.ConfigureAwait(false), null)
                : await WaitAsync(place, patience.Token).ConfigureAwait(false);
        _seen = null;
        return (held, stopped);
    }

    private async ValueTask<(FileLock Held, LockHolder? Stopped)> WaitAsync(Task<FileLock> place, CancellationToken cancellationToken)
    {
        LockHolder? stopped = null;
        while (true)
        {
            try
            {
                return (await place.WaitAsync(Suspicion, time, cancellationToken).ConfigureAwait(false), stopped);
            }
            catch (TimeoutException)
            {
                stopped = LookAtHolder() ?? stopped;
            }
            catch (OperationCanceledException)
            {
                _queue.Leave(place);
                throw;
            }
        }
    }

    private async ValueTask<(FileLock Held, LockHolder? Stopped)> RetryAsync(CancellationToken cancellationToken)
    {
        FileLock? held;
        LockHolder? stopped = null;
        long lookedAt = time.GetTimestamp();
        while ((held = FileLock.TryTake(path)) is null)
        {
            if (time.GetElapsedTime(lookedAt) > Suspicion)
            {
                lookedAt = time.GetTimestamp();
                stopped = LookAtHolder() ?? stopped;
            }

            await Task.Delay(Retry * (1 + Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }

        return (held, stopped);
    }

    /// <summary>Looks who has the lock for so long.</summary>
    /// <returns>Who, if it was stopped and could be told to continue.</returns>
    private LockHolder? LookAtHolder()
    {
        var holder = LockHolder.Find(path);
        _seen = holder;
        return holder.TryContinue() ? holder : null;
    }

    private StateStoreException Stuck() => new(
        $"The pool's state could not be changed within {Patience.TotalSeconds:0} s: {LockHolder.Find(path)}. Nothing was changed. Never delete the file.");

    /// <summary>The lock in the hands of whoever works under it, and what the change counter in its file tells.</summary>
    internal sealed class Held(SafeFileHandle file)
    {
        /// <summary>What the counter stands at before the next change; null when the writer before died at work.</summary>
        public long? Number { get; private set; } = ChangeCounter.ReadHeld(file);

        /// <summary>What it stands at since a change was begun; null when none is under way.</summary>
        private long? _begun;

        private List<Action>? _later;

        /// <summary>Whether a change was begun and not ended.</summary>
        public bool HasBegun => _begun is not null;

        /// <summary>Leaves something to do until the lock was given back, by whoever works under it and before it is told that its work is done.</summary>
        public void Later(Action work) => (_later ??= []).Add(work);

        /// <summary>Without the lock.</summary>
        public void DoLater() => _later?.ForEach(work => work());

        /// <summary>Before a change: from now on others read everything.</summary>
        public void Begin() => _begun ??= ChangeCounter.Begin(file, Number);

        /// <summary>After the last change of several that belong together.</summary>
        /// <returns>The number that the state now has.</returns>
        public long End()
        {
            long number = ChangeCounter.End(file, _begun!.Value);
            (_begun, Number) = (null, number);
            return number;
        }
    }
}
