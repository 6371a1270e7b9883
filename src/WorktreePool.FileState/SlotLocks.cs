using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace WorktreePool.FileState;

/// <summary>The working locks of the slots, and others of that kind.</summary>
/// <param name="time">The clock.</param>
/// <param name="pathOf">Where a lock's file is.</param>
internal sealed class SlotLocks(TimeProvider time, Func<string, string> pathOf)
{
    private readonly ConcurrentDictionary<string, LockTime> _times = [];
    private readonly ConcurrentDictionary<string, Line> _lines = [];

    /// <summary>Takes a lock if nobody has it.</summary>
    /// <param name="slot">The slot.</param>
    public FileLock? TryTake(string slot) => FileLock.TryTake(pathOf(slot), TimeOf(slot).Set);

    /// <summary>Waits for a lock, in the kernel's line.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null where one cannot stand in line, and somebody has the lock.</returns>
    public async ValueTask<FileLock?> TryTakeInTurnAsync(string slot, CancellationToken cancellationToken)
    {
        Line line = _lines.GetOrAdd(slot, static (slot, pathOf) => new Line(pathOf(slot)), pathOf);
        await line.Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            FileLock? held = await TryTakeAsync(line, cancellationToken).ConfigureAwait(false);
            try
            {
                if (held is not null)
                {
                    TimeOf(slot).Set(held);
                }

                return held;
            }
            catch
            {
                held?.Dispose();
                throw;
            }
        }
        finally
        {
            line.Turn.Release();
        }
    }

    private static async ValueTask<FileLock?> TryTakeAsync(Line line, CancellationToken cancellationToken)
    {
        if (line.Queue.Enter(FileAccess.ReadWrite, tries: 1) is not { } place)
        {
            return null;
        }

        try
        {
            return await place.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            line.Queue.Leave(place);
            throw;
        }
    }

    private LockTime TimeOf(string slot) => _times.GetOrAdd(slot, static (_, time) => new LockTime(time), time);

    /// <summary>This process's place in one lock's line, and who in the process has it.</summary>
    [SuppressMessage("Design", "CA1001", Justification = "A semaphore has nothing to dispose unless its wait handle is used.")]
    private sealed class Line(string path)
    {
        public LockQueue Queue { get; } = new(path);

        public SemaphoreSlim Turn { get; } = new(1, 1);
    }
}
