using System.Collections.Concurrent;

namespace WorktreePool.FileState;

/// <summary>The working locks of the slots.</summary>
internal sealed class SlotLocks(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, LockTime> _times = [];

    /// <summary>Takes a slot's lock if nobody has it.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="path">The lock's file.</param>
    public FileLock? TryTake(string slot, string path) => FileLock.TryTake(path, _times.GetOrAdd(slot, static (_, time) => new LockTime(time), time).Set);
}
