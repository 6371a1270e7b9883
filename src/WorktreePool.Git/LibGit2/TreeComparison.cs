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
    private readonly CancellationToken _cancellation;
    private readonly byte[] _root;
    private readonly FileStatus? _above;
    private readonly FileStamp?[] _equal;
    private readonly ConcurrentBag<byte[]> _untracked = [];
    private readonly ConcurrentBag<byte[]> _closed = [];
    private readonly ConcurrentBag<int> _young = [];

    private TreeComparison(string root, IndexEntry[] entries, FileStamp written, KeepPatterns keep, SlotWatch? watch, IReadOnlySet<int>? proven, CancellationToken cancellation)
    {
        (_entries, _written, _keep, _watch, _proven, _cancellation) = (entries, written, keep, watch, proven ?? FrozenSet<int>.Empty, cancellation);
        _root = Encoding.UTF8.GetBytes(root);
        _above = UnixFiles.Status(Encoding.UTF8.GetBytes(Path.GetDirectoryName(root)!));
        _equal = new FileStamp?[_entries.Length];
    }

    /// <param name="root">The slot, a directory and no link.</param>
    /// <param name="entries">Its index, or the entries of a tree, in the order of git; with a default stamp the file is read in any case.</param>
    /// <param name="written">The index file's own times.</param>
    /// <param name="keep">What may be there besides.</param>
    /// <param name="cancellation">Ends the walk.</param>
    /// <param name="watch">Is given everything before it is read; null: nobody watches.</param>
    /// <param name="proven">Entries that need not be read although they are as young as the index; null: none.</param>
    /// <exception cref="IOException">Something cannot be read.</exception>
    public static TreeDifference Run(string root, IndexEntry[] entries, FileStamp written, KeepPatterns keep, CancellationToken cancellation, SlotWatch? watch = null, IReadOnlySet<int>? proven = null)
    {
        var comparison = new TreeComparison(root, entries, written, keep, watch, proven, cancellation);
        comparison.WalkAll();

        // Sorted, because threads came across them in any order: the same slot gives the same answer, and what is above comes first.
        return new TreeDifference(entries, comparison._equal, Sorted(comparison._untracked), Sorted(comparison._closed), comparison._young);
    }

    private static byte[][] Sorted(ConcurrentBag<byte[]> paths) => [.. paths.Order(Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)))];

    /// <summary>A directory and the entries below it, which are neighbours in the order of git.</summary>
    /// <param name="Path">Relative to the slot; empty for the slot itself.</param>
    /// <param name="From">The first entry below it.</param>
    /// <param name="To">The first entry after those.</param>
    private readonly record struct Branch(byte[] Path, int From, int To);

    /// <summary>All directories of one depth after another, those of the same depth side by side.</summary>
    private void WalkAll()
    {
        if (UnixFiles.Status(_root) is { } status && !status.IsOrdinaryDirectory(_above))
        {
            _closed.Add([]);
        }

        Branch[] level = [new Branch([], 0, _entries.Length)];
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
        DirectoryReader.Read(absolute, (name, status) =>
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

                _equal[at] = IsEqual(at, status) ? status.Stamp : null;
                return;
            }

            byte[] path = prefix == 0 ? name.ToArray() : [.. directory.Path, (byte)'/', .. name];
            if (status.IsDirectory && Below(directory, prefix, name) is { } range)
            {
                Descend(new Branch(path, range.From, range.To), status, below);
            }
            else
            {
                WalkUntracked(path, status, below);
            }
        });
    }

    private void Descend(Branch branch, FileStatus status, ConcurrentBag<Branch> below)
    {
        if (!status.IsOrdinaryDirectory(_above))
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
            Descend(new Branch(path, 0, 0), status, below);
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
