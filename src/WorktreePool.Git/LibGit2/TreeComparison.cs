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
    private readonly IReadOnlyList<IndexEntry> _entries;
    private readonly FileStamp _written;
    private readonly KeepPatterns _keep;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<byte[], int> _files;
    private readonly HashSet<byte[]> _directories;
    private readonly byte[] _root;
    private readonly FileStamp?[] _equal;
    private readonly List<byte[]> _untracked = [];
    private readonly List<byte[]> _closed = [];

    private TreeComparison(string root, IReadOnlyList<IndexEntry> entries, FileStamp written, KeepPatterns keep, CancellationToken cancellation)
    {
        (_entries, _written, _keep, _cancellation) = (entries, written, keep, cancellation);
        _root = Encoding.UTF8.GetBytes(root);
        _equal = new FileStamp?[entries.Count];
        _files = new Dictionary<byte[], int>(entries.Count, PathComparer.Instance);
        _directories = new HashSet<byte[]>(PathComparer.Instance);
        byte[] last = [];
        for (int i = 0; i < entries.Count; i++)
        {
            byte[] path = entries[i].Path;
            _files.TryAdd(path, i);
            int slash = path.AsSpan().LastIndexOf((byte)'/');
            if (slash > 0 && !path.AsSpan(0, slash).SequenceEqual(last))
            {
                last = path[..slash];
                for (byte[] directory = last; _directories.Add(directory) && directory.AsSpan().LastIndexOf((byte)'/') is > 0 and int above;)
                {
                    directory = directory[..above];
                }
            }
        }
    }

    /// <param name="root">The slot.</param>
    /// <param name="entries">Its index, or the entries of a tree; with a default stamp the file is read in any case.</param>
    /// <param name="written">The index file's own times.</param>
    /// <param name="keep">What may be there besides.</param>
    /// <param name="cancellation">Ends the walk.</param>
    /// <exception cref="IOException">Something cannot be read.</exception>
    public static TreeDifference Run(string root, IReadOnlyList<IndexEntry> entries, FileStamp written, KeepPatterns keep, CancellationToken cancellation)
    {
        var comparison = new TreeComparison(root, entries, written, keep, cancellation);
        comparison.Walk([]);
        return new TreeDifference(entries, comparison._equal, comparison._untracked, comparison._closed);
    }

    private void Walk(byte[] directory)
    {
        _cancellation.ThrowIfCancellationRequested();
        byte[] absolute = Absolute(directory);
        if (UnixFiles.Status(absolute) is { IsOpenToOwner: false })
        {
            _closed.Add(directory);
        }

        foreach (byte[] name in UnixFiles.Names(absolute))
        {
            if (directory.Length == 0 && name.AsSpan().SequenceEqual(".git"u8))
            {
                continue;
            }

            byte[] path = directory.Length == 0 ? name : [.. directory, (byte)'/', .. name];
            if (UnixFiles.Status(Absolute(path)) is not { } status)
            {
                continue;
            }

            if (_files.TryGetValue(path, out int at))
            {
                _equal[at] = IsEqual(_entries[at], path, status) ? status.Stamp : null;
            }
            else if (status.IsDirectory && _directories.Contains(path))
            {
                Walk(path);
            }
            else
            {
                WalkUntracked(path, status);
            }
        }
    }

    private void WalkUntracked(byte[] path, FileStatus status)
    {
        string text = UnixFiles.Text(path);
        if (!status.IsLink && _keep.Keeps(text, status.IsDirectory))
        {
            return;
        }

        if (status.IsDirectory && _keep.MayKeepBelow(text))
        {
            Walk(path);
        }
        else
        {
            _untracked.Add(path);
        }
    }

    private bool IsEqual(IndexEntry entry, byte[] path, FileStatus status)
    {
        bool isKind = entry.Mode == IndexEntry.Link ? status.IsLink : status.IsFile && status.IsExecutable == (entry.Mode == IndexEntry.Executable);
        return isKind && ((status.Stamp.IsSame(entry.Stamp) && IsOlderThanIndex(entry.Stamp)) || HasContent(entry, path, status));
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

    private sealed class PathComparer : IEqualityComparer<byte[]>
    {
        public static PathComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] path)
        {
            var hash = default(HashCode);
            hash.AddBytes(path);
            return hash.ToHashCode();
        }
    }
}
