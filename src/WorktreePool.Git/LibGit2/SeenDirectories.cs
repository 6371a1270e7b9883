using System.Collections.Concurrent;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// The directories of one slot in which this process has read exactly the names that an index has there. As long as its status stays the same that is still so, for a directory in which
/// a name comes or goes gets another time. It is the rule of git's untracked cache (git-update-index(1)), made stricter: the change time counts, too, which no tool can set, and it only
/// counts where the names were read again at least two seconds after it had first been seen, so that whatever happens later gives another one, however coarse the clock of the file
/// system is. Of what the names stand for it says nothing.
/// </summary>
/// <param name="time">Tells how long ago something was seen.</param>
internal sealed class SeenDirectories(TimeProvider time)
{
    private readonly Lock _sync = new();
    private readonly ConcurrentDictionary<byte[], Seen> _seen = new(PathComparer.Instance);
    private WeakReference<IndexEntry[]> _entries = new([]);
    private int _index;
    private (uint Device, bool TellsAll)? _place;

    /// <summary>Begins to look at the slot once more.</summary>
    /// <param name="path">The slot.</param>
    /// <param name="root">Its status.</param>
    /// <param name="entries">The index it is compared with; what was seen under another one does not count.</param>
    /// <returns>Null on a file system whose directories may keep their time although another machine or layer changes them.</returns>
    public Visit? Begin(string path, FileStatus root, IndexEntry[] entries)
    {
        lock (_sync)
        {
            if (_place?.Device != root.Stamp.Device)
            {
                _place = (root.Stamp.Device, SlotWatch.TellsAll(path));
            }

            if (!_entries.TryGetTarget(out IndexEntry[]? before) || before != entries)
            {
                _entries = new WeakReference<IndexEntry[]>(entries);
                _index++;
                foreach ((byte[] directory, _) in _seen.Where(seen => seen.Value.Index < _index - 1))
                {
                    _seen.TryRemove(directory, out _);
                }
            }

            return _place.Value.TellsAll ? new Visit(this, _index, root.Stamp.Device, time.GetTimestamp()) : null;
        }
    }

    /// <param name="Status">Its status, before its names were read.</param>
    /// <param name="Index">Under which index.</param>
    /// <param name="Since">When it had been seen with this status for the first time.</param>
    /// <param name="IsOld">Whether that was long ago when the names were read.</param>
    private sealed record Seen(FileStamp Status, int Index, long Since, bool IsOld);

    /// <summary>One look at the slot; by several threads.</summary>
    /// <param name="directories">The slot's.</param>
    /// <param name="index">Which index it is compared with.</param>
    /// <param name="device">What the slot is on.</param>
    /// <param name="begun">When it began.</param>
    internal sealed class Visit(SeenDirectories directories, int index, uint device, long begun)
    {
        /// <summary>Whether a directory is known to hold the names that the index has there, and no others.</summary>
        /// <param name="path">Relative to the slot.</param>
        /// <param name="now">Its status.</param>
        public bool IsKnown(byte[] path, FileStatus now) =>
            directories._seen.TryGetValue(path, out Seen? seen) && seen.IsOld && seen.Index == index && seen.Status == now.Stamp;

        /// <summary>Tells that a directory was read, and holds exactly these names.</summary>
        /// <param name="path">Relative to the slot.</param>
        /// <param name="before">Its status before it was read.</param>
        public void Saw(byte[] path, FileStatus before)
        {
            if (before.Stamp.Device != device)
            {
                // Something that is mounted where a keep pattern allows it.
                return;
            }

            TimeProvider time = directories.Time;
            long since = directories._seen.TryGetValue(path, out Seen? seen) && seen.Status == before.Stamp ? seen.Since : time.GetTimestamp();
            directories._seen[path] = new Seen(before.Stamp, index, since, time.GetElapsedTime(since, begun) > VerifiedIndexes.CoarsestTime);
        }
    }

    private TimeProvider Time => time;

    private sealed class PathComparer : IEqualityComparer<byte[]>
    {
        public static PathComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] path)
        {
            HashCode hash = default;
            hash.AddBytes(path);
            return hash.ToHashCode();
        }
    }
}
