using System.Collections.Concurrent;

namespace WorktreePool.Git.Worktree;

/// <summary>The watches over this process's view of a pool's slots. None outlives the process: after a restart every slot is read once.</summary>
/// <param name="open">Opens a queue of events.</param>
internal sealed class WatchedSlots(Func<IFileEvents> open) : IDisposable
{
    /// <summary>So many files that somebody has opened are looked at before a slot is rather read again.</summary>
    private const int MostOpened = 64;

    private readonly ConcurrentDictionary<string, Watched> _slots = new(StringComparer.Ordinal);

    /// <summary>The watches over a pool's slots; null when it wants none, or there is no telling here.</summary>
    public static WatchedSlots? Of(WorktreePoolOptions options) => options.WatchSlots && UnixFiles.IsSupported ? new WatchedSlots(() => new KernelEvents()) : null;

    /// <summary>Whether a slot is for certain as it was when it was verified; its watch ends with that.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="commit">The commit it shall be at.</param>
    /// <param name="admin">The name of its admin directory.</param>
    public bool TakeUnchanged(SlotPlace place, string commit, string admin)
    {
        if (!_slots.TryRemove(place.Slot, out Watched? watched))
        {
            return false;
        }

        bool isUnchanged = watched.Place == place.Path && watched.Commit == commit && watched.Admin == admin && watched.Watch.IsUnchanged(MostOpened);
        End(watched.Watch);
        return isUnchanged;
    }

    /// <summary>Begins a watch for a verification that follows at once, unless the one there is still sees no change.</summary>
    /// <returns>For <see cref="Keep"/> or <see cref="End"/>; null when there is one already.</returns>
    /// <exception cref="IOException">Nothing can be watched here.</exception>
    public SlotWatch? Begin(SlotPlace place, string commit, string admin) =>
        _slots.TryGetValue(place.Slot, out Watched? watched) && watched.Place == place.Path && watched.Commit == commit && watched.Admin == admin && watched.Watch.IsUnchanged(int.MaxValue)
            ? null
            : SlotWatch.Begin(place.Path, open);

    /// <summary>Keeps a watch over a slot that was just found ready, if it saw no change meanwhile.</summary>
    /// <returns>Why it is not kept; null when it is.</returns>
    public string? Keep(SlotPlace place, string commit, string admin, SlotWatch watch)
    {
        if (!watch.IsUnchanged(int.MaxValue))
        {
            End(watch);
            return watch.Broken;
        }

        Drop(place.Slot);
        _slots[place.Slot] = new Watched(place.Path, commit, admin, watch);
        return null;
    }

    /// <summary>Ends the watch over a slot, if there is one.</summary>
    public void Drop(string slot)
    {
        if (_slots.TryRemove(slot, out Watched? watched))
        {
            End(watched.Watch);
        }
    }

    /// <summary>Ends a watch: not on the caller's time, for the kernel takes a millisecond for each thousand files.</summary>
    public static void End(SlotWatch watch) => ThreadPool.UnsafeQueueUserWorkItem(static ended => ended.Dispose(), watch, preferLocal: false);

    public void Dispose()
    {
        foreach (string slot in _slots.Keys)
        {
            if (_slots.TryRemove(slot, out Watched? watched))
            {
                watched.Watch.Dispose();
            }
        }
    }

    private sealed record Watched(string Place, string Commit, string Admin, SlotWatch Watch);
}
