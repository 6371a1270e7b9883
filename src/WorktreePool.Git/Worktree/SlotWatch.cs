using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// Sees whether anything in a slot changes after it was verified, so that it need not be read again. Each directory is added before its names are read
/// and each file before it is compared, so between the two nothing is missed. A directory's watch tells of every name in it that comes, goes or changes
/// its rights, but not of writes through a hard link elsewhere; so every file has a watch of its own, which tells of each change and of each opening by
/// whatever name, and is begun under a <see cref="ReadLease"/>: nobody could write then, and nobody can later without being seen to open the file.
/// Whatever cannot be told for certain (a queue that ran over, a limit, a file that somebody has open for writing) makes the watch worth nothing.
/// </summary>
internal sealed class SlotWatch : IDisposable
{
    private const FileChange OfDirectory = FileChange.Created | FileChange.Deleted | FileChange.MovedFrom | FileChange.MovedTo | FileChange.Attributes | FileChange.SelfDeleted | FileChange.SelfMoved;
    private const FileChange OfFile = FileChange.Modified | FileChange.Attributes | FileChange.ClosedAfterWriting | FileChange.Opened | FileChange.SelfDeleted | FileChange.SelfMoved;

    /// <summary>Where all changes come from this kernel, and each is told of: not the network's file systems, not FUSE, not overlays.</summary>
    private static readonly HashSet<string> FileSystems = new(StringComparer.Ordinal) { "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs" };

    private readonly Lock _sync = new();
    private readonly IFileEvents _events;
    private readonly string _path;
    private readonly byte[] _root;
    private readonly FileStatus _rootStatus;
    private readonly Dictionary<int, byte[]> _files = [];

    /// <summary>Files that were opened, by whomever, and may have been so for writing.</summary>
    private readonly HashSet<int> _opened = [];

    private (byte[] Path, FileStatus Status)? _index;

    private SlotWatch(IFileEvents events, string path, FileStatus root) => (_events, _path, _root, _rootStatus) = (events, path, Encoding.UTF8.GetBytes(path), root);

    /// <summary>Why nothing can be concluded from it; null as long as nothing has happened.</summary>
    public string? Broken { get; private set; }

    /// <summary>Begins a watch; nothing is watched yet.</summary>
    /// <param name="path">The slot's directory.</param>
    /// <param name="open">Opens the queue of events.</param>
    /// <exception cref="IOException">Nothing can be watched here; the message says why.</exception>
    public static SlotWatch Begin(string path, Func<IFileEvents> open)
    {
        FileStatus root = UnixFiles.Status(Encoding.UTF8.GetBytes(path)) ?? throw new IOException($"{path} is not there");
        return !TellsAll(path) ? throw new IOException($"{path} is on {new DriveInfo(path).DriveFormat}, where changes may go untold")
            : HasMounts(path) ? throw new IOException($"{path} is or holds a mount")
            : new SlotWatch(open(), path, root);
    }

    /// <summary>Whether a place is on a file system that tells of every change.</summary>
    public static bool TellsAll(string path) => FileSystems.Contains(new DriveInfo(path).DriveFormat);

    /// <summary>Watches a directory; to be called before it is read.</summary>
    /// <param name="path">Absolute.</param>
    public void AddDirectory(ReadOnlySpan<byte> path)
    {
        try
        {
            if (Broken is null)
            {
                _events.Add(path, OfDirectory | FileChange.OnlyIfDirectory | FileChange.NoLink);
            }
        }
        catch (IOException e)
        {
            Break(e.Message);
        }
    }

    /// <summary>Watches a file; to be called before it is compared.</summary>
    /// <param name="path">Relative to the slot.</param>
    /// <param name="seen">The status it will be judged by.</param>
    public void AddFile(byte[] path, FileStatus seen)
    {
        try
        {
            if (Broken is not null)
            {
                return;
            }

            using ReadLease lease = ReadLease.Take(Absolute(path), seen);
            int watch = _events.Add(lease.OpenPath, OfFile);
            lock (_sync)
            {
                _files[watch] = path;
            }

            if (lease.Status.Stamp != seen.Stamp)
            {
                Break($"{UnixFiles.Text(path)} changed while it was verified");
            }
        }
        catch (IOException e)
        {
            Break(e.Message);
        }
    }

    /// <summary>Watches the slot's index, which may be replaced by another file as well; to be called before it is read.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="seen">Its status.</param>
    public void AddIndex(byte[] path, FileStatus seen)
    {
        _index = (path, seen);
        AddFile(path, seen);
    }

    /// <summary>Whether nothing has changed: from when it was added until now.</summary>
    /// <param name="mostOpened">With more files than this that somebody has opened, to look at them costs more than to read the slot again.</param>
    public bool IsUnchanged(int mostOpened)
    {
        lock (_sync)
        {
            if (Broken is null)
            {
                Settle(mostOpened);
            }

            try
            {
                if (Broken is null && !(IsSame(_root, _rootStatus) && _index is { } index && IsSame(index.Path, index.Status) && !HasMounts(_path)))
                {
                    Break("the slot or its index is not the one that was verified");
                }
            }
            catch (IOException e)
            {
                Break(e.Message);
            }

            return Broken is null;
        }
    }

    public void Dispose()
    {
        lock (_sync)
        {
            Break("it has ended");
            _events.Dispose();
        }
    }

    /// <summary>Reads what has happened, then makes sure of each file that was opened that it was not for writing.</summary>
    private void Settle(int mostOpened)
    {
        Drain();
        if (_opened.Count > mostOpened)
        {
            Break($"{_opened.Count} files were opened");
        }

        foreach (int watch in _opened.ToArray())
        {
            byte[] path = Absolute(_files[watch]);
            try
            {
                if (Broken is null)
                {
                    // Under the lease nobody has it open for writing; who had has closed it before, of which the queue tells.
                    using ReadLease lease = ReadLease.Take(path, UnixFiles.Status(path) ?? throw new IOException($"{UnixFiles.Text(path)} is gone"));
                    Drain();
                    _opened.Remove(watch);
                }
            }
            catch (IOException e)
            {
                Break(e.Message);
            }
        }
    }

    private void Drain()
    {
        try
        {
            foreach ((int watch, FileChange what, _) in _events.Read())
            {
                if (what == FileChange.Opened && _files.ContainsKey(watch))
                {
                    _opened.Add(watch);
                }
                else
                {
                    // A queue that ran over tells so by an event without a watch.
                    Break($"something changed ({what})");
                }
            }
        }
        catch (IOException e)
        {
            Break(e.Message);
        }
    }

    private void Break(string reason)
    {
        lock (_sync)
        {
            Broken ??= reason;
        }
    }

    private byte[] Absolute(byte[] path) => path[0] == (byte)'/' ? path : [.. _root, (byte)'/', .. path];

    private static bool IsSame(byte[] path, FileStatus before) => UnixFiles.Status(path) is { } now && now.Mode == before.Mode && now.Stamp == before.Stamp;

    private static bool HasMounts(string path) => Mounts.AtOrBelow(path).Count > 0;
}
