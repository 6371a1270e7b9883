using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Compares a slot's files with its index, byte for byte and mode for mode, and finds everything that is not in it. A file whose status is
/// exactly the one in the index is taken as equal, by git's own rule for files younger than the index; every other one is read.
/// </summary>
internal sealed class TreeComparison
{
    /// <summary>With fewer directories than this to a thread, starting it costs more than it saves.</summary>
    private const int WorthSharing = 8;

    private readonly IndexEntry[] _entries;
    private readonly FileStamp _written;
    private readonly KeepPatterns _keep;
    private readonly SlotWatch? _watch;
    private readonly IReadOnlySet<int> _proven;
    private readonly SeenDirectories.Visit? _seen;
    private readonly CancellationToken _cancellation;
    private readonly byte[] _root;
    private readonly FileStatus? _above, _status;
    private readonly FileStamp?[] _equal;
    private readonly ConcurrentBag<byte[]> _untracked = [];
    private readonly ConcurrentBag<byte[]> _closed = [];
    private readonly ConcurrentBag<int> _young = [];

    private TreeComparison(
        string root, IndexEntry[] entries, FileStamp written, KeepPatterns keep, SlotWatch? watch, IReadOnlySet<int>? proven, SeenDirectories? seen, CancellationToken cancellation)
    {
        (_entries, _written, _keep, _watch, _proven, _cancellation) = (entries, written, keep, watch, proven ?? FrozenSet<int>.Empty, cancellation);
        _root = Encoding.UTF8.GetBytes(root);
        _above = UnixFiles.Status(Encoding.UTF8.GetBytes(Path.GetDirectoryName(root)!));
        _status = UnixFiles.Status(_root);

        // Whoever watches adds each directory and reads it then.
        _seen = watch is null && _status is { } status ? seen?.Begin(root, status, entries) : null;
        _equal = new FileStamp?[_entries.Length];
    }

    /// <param name="root">The slot, a directory and no link.</param>
    /// <param name="entries">Its index, or the entries of a tree, in the order of git; with a default stamp the file is read in any case.</param>
    /// <param name="written">The index file's own times.</param>
    /// <param name="keep">What may be there besides.</param>
    /// <param name="cancellation">Ends the walk.</param>
    /// <param name="watch">Is given everything before it is read; null: nobody watches.</param>
    /// <param name="proven">Entries that need not be read although they are as young as the index; null: none.</param>
    /// <param name="seen">The slot's directories as they were seen before, whose names need not be read again; null: all are read.</param>
    /// <exception cref="IOException">Something cannot be read.</exception>
    public static TreeDifference Run(
        string root, IndexEntry[] entries, FileStamp written, KeepPatterns keep, CancellationToken cancellation, SlotWatch? watch = null, IReadOnlySet<int>? proven = null, SeenDirectories? seen = null)
    {
        var comparison = new TreeComparison(root, entries, written, keep, watch, proven, seen, cancellation);
        comparison.WalkAll();

        // Sorted, because threads came across them in any order: the same slot gives the same answer, and what is above comes first.
        return new TreeDifference(entries, comparison._equal, Sorted(comparison._untracked), Sorted(comparison._closed), comparison._young);
    }

    private static byte[][] Sorted(ConcurrentBag<byte[]> paths) => [.. paths.Order(Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)))];

    /// <summary>A directory and the entries below it, which are neighbours in the order of git.</summary>
    /// <param name="Path">Relative to the slot; empty for the slot itself.</param>
    /// <param name="From">The first entry below it.</param>
    /// <param name="To">The first entry after those.</param>
    /// <param name="Status">What it was before it was opened; null when that is not known.</param>
    private readonly record struct Branch(byte[] Path, int From, int To, FileStatus? Status);

    /// <summary>All directories of one depth after another, those of the same depth side by side.</summary>
    private void WalkAll()
    {
        if (_status?.IsOrdinaryDirectory(_above) == false)
        {
            _closed.Add([]);
        }

        Branch[] level = [new Branch([], 0, _entries.Length, _status)];
        while (level.Length > 0)
        {
            ConcurrentBag<Branch> below = [];
            int next = 0;
            Sharing.Run(1 + (level.Length / WorthSharing), WalkMore, WalkMore, () => Volatile.Write(ref next, level.Length));
            level = [.. below];

            void WalkMore()
            {
                for (int taken; (taken = Interlocked.Increment(ref next) - 1) < level.Length;)
                {
                    Walk(level[taken], below);
                }
            }
        }
    }

    private void Walk(Branch directory, ConcurrentBag<Branch> below)
    {
        _cancellation.ThrowIfCancellationRequested();
        int prefix = directory.Path.Length == 0 ? 0 : directory.Path.Length + 1;
        byte[] absolute = Absolute(directory.Path);
        _watch?.AddDirectory(absolute);
        using var reader = DirectoryReader.Open(absolute);
        if (directory.Status is { } status && _seen?.IsKnown(directory.Path, status) == true && TryWalkEntries(directory, prefix, reader, below))
        {
            return;
        }

        int tracked = 0;
        bool hasOthers = false;
        reader.Read((name, status) =>
        {
            if (prefix == 0 && name.SequenceEqual(".git"u8))
            {
                return;
            }

            int at = FirstFrom(directory, prefix, name);
            if (at < directory.To && _entries[at].Path.AsSpan(prefix).SequenceEqual(name))
            {
                if (status.IsFile)
                {
                    _watch?.AddFile(_entries[at].Path, status);
                }

                tracked++;
                _equal[at] = IsEqual(at, status) ? status.Stamp : null;
                return;
            }

            byte[] path = prefix == 0 ? name.ToArray() : [.. directory.Path, (byte)'/', .. name];
            if (status.IsDirectory && Below(directory, prefix, name) is { } range)
            {
                tracked++;
                Descend(new Branch(path, range.From, range.To, status), below);
            }
            else
            {
                hasOthers = true;
                WalkUntracked(path, status, below);
            }
        });
        if (_seen is not null && directory.Status is { } before && !hasOthers && tracked == CountNames(directory, prefix))
        {
            _seen.Saw(directory.Path, before);
        }
    }

    /// <summary>Looks at what the index has in a directory, in which there is nothing else.</summary>
    /// <returns>False when it must be read, because something is missing by now.</returns>
    private bool TryWalkEntries(Branch directory, int prefix, DirectoryReader reader, ConcurrentBag<Branch> below)
    {
        List<Branch> inside = [];
        for (int at = directory.From, next; at < directory.To; at = next)
        {
            ReadOnlySpan<byte> name = NameAt(at, prefix);
            bool isFile = IsFile(at, prefix, name);
            next = After(directory, at, prefix, name);
            if (reader.Status(name) is not { } status || (!isFile && !status.IsDirectory))
            {
                return false;
            }

            if (isFile)
            {
                _equal[at] = IsEqual(at, status) ? status.Stamp : null;
            }
            else
            {
                inside.Add(new Branch(_entries[at].Path[..(prefix + name.Length)], at, next, status));
            }
        }

        foreach (Branch branch in inside)
        {
            Descend(branch, below);
        }

        return true;
    }

    /// <summary>How many names the index has in a directory.</summary>
    private int CountNames(Branch directory, int prefix)
    {
        int count = 0;
        for (int at = directory.From; at < directory.To; at = After(directory, at, prefix, NameAt(at, prefix)))
        {
            count++;
        }

        return count;
    }

    /// <summary>What an entry is, or is in, in a directory.</summary>
    private ReadOnlySpan<byte> NameAt(int at, int prefix)
    {
        ReadOnlySpan<byte> rest = _entries[at].Path.AsSpan(prefix);
        return rest.IndexOf((byte)'/') is >= 0 and var slash ? rest[..slash] : rest;
    }

    /// <summary>Whether an entry is the file of this name, and not one in a directory of it.</summary>
    private bool IsFile(int at, int prefix, ReadOnlySpan<byte> name) => prefix + name.Length == _entries[at].Path.Length;

    /// <summary>The first entry after the file of this name, or after all that are in the directory of this name.</summary>
    /// <param name="directory">Where it is.</param>
    /// <param name="at">Its first entry.</param>
    /// <param name="prefix">How many bytes come before the name.</param>
    /// <param name="name">The name.</param>
    private int After(Branch directory, int at, int prefix, ReadOnlySpan<byte> name) =>
        IsFile(at, prefix, name) ? at + 1 : FirstFrom(directory with { From = at }, prefix, [.. name, (byte)'/' + 1]);

    private void Descend(Branch branch, ConcurrentBag<Branch> below)
    {
        if (branch.Status?.IsOrdinaryDirectory(_above) == false)
        {
            _closed.Add(branch.Path);
        }

        below.Add(branch);
    }

    /// <summary>The entries below a directory of this name; null when there is none.</summary>
    private (int From, int To)? Below(Branch directory, int prefix, ReadOnlySpan<byte> name)
    {
        int from = FirstFrom(directory, prefix, [.. name, (byte)'/']);
        int to = FirstFrom(directory with { From = from }, prefix, [.. name, (byte)'/' + 1]);
        return from < to ? (from, to) : null;
    }

    /// <summary>The first entry of a directory whose path there is not before <paramref name="wanted"/> in the order of git.</summary>
    private int FirstFrom(Branch directory, int prefix, ReadOnlySpan<byte> wanted)
    {
        (int low, int high) = (directory.From, directory.To);
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_entries[middle].Path.AsSpan(prefix).SequenceCompareTo(wanted) < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void WalkUntracked(byte[] path, FileStatus status, ConcurrentBag<Branch> below)
    {
        string text = UnixFiles.Text(path);
        if (!status.IsLink && _keep.Keeps(text, status.IsDirectory))
        {
            return;
        }

        if (status.IsDirectory && _keep.MayKeepBelow(text))
        {
            Descend(new Branch(path, 0, 0, status), below);
        }
        else
        {
            _untracked.Add(path);
        }
    }

    private bool IsEqual(int at, FileStatus status)
    {
        IndexEntry entry = _entries[at];
        bool isKind = entry.Mode == IndexEntry.Link ? status.IsLink : status.IsFile && status.IsExecutable == (entry.Mode == IndexEntry.Executable);
        bool isSame = isKind && status.Stamp.IsSame(entry.Stamp);
        if (isSame && (IsOlderThanIndex(entry.Stamp) || _proven.Contains(at)))
        {
            return true;
        }

        bool isEqual = isKind && (status.IsLink || status.IsOrdinaryFile) && HasContent(entry, entry.Path, status);
        if (isSame && isEqual)
        {
            _young.Add(at);
        }

        return isEqual;
    }

    private bool IsOlderThanIndex(FileStamp stamp) =>
        (stamp.ModifiedSeconds, stamp.ModifiedNanoseconds).CompareTo((_written.ModifiedSeconds, _written.ModifiedNanoseconds)) < 0;

    private bool HasContent(IndexEntry entry, byte[] path, FileStatus status)
    {
        if (status.IsLink)
        {
            return IndexFile.ObjectId("blob", UnixFiles.LinkTarget(Absolute(path))).AsSpan().SequenceEqual(entry.Id.Span);
        }

        using SafeFileHandle file = UnixFiles.OpenRead(Absolute(path), status);
        using IncrementalHash hash = IndexFile.BeginObject("blob", status.Size);
        byte[] buffer = new byte[(int)Math.Clamp(status.Size, 1, 1 << 16)];
        long at = 0;
        for (int read; (read = RandomAccess.Read(file, buffer, at)) > 0; at += read)
        {
            _cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        return hash.GetHashAndReset().AsSpan().SequenceEqual(entry.Id.Span);
    }

    private byte[] Absolute(byte[] path) => path.Length == 0 ? _root : [.. _root, (byte)'/', .. path];
}
