using System.Collections.Concurrent;
using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// For each slot the trusted index of which this process knows that it is its commit's tree, hides nothing, and changes no bytes of files; as long
/// as its file is the one it was, and there is memory for it: those used last are held, the others are the garbage collector's.
/// </summary>
internal sealed class VerifiedIndexes(TrustedIndex trusted)
{
    /// <summary>In bytes of the files, three of 50,000 entries; in memory they take two and a half times that.</summary>
    private const int MostHeld = 16 << 20;

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly LinkedList<IndexFile> _held = [];

    /// <summary>A slot's index, whatever commit it is of; null when it is not known.</summary>
    public VerifiedIndex? Find(string slot)
    {
        if (_known.TryGetValue(slot, out Known? known) && known.Index.TryGetTarget(out IndexFile? index)
            && trusted.Find(slot, known.Commit) is { } path && UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is { } status && status.Stamp == known.Written)
        {
            Hold(index);
            return new VerifiedIndex(known.Commit, index, known.Written);
        }

        return null;
    }

    /// <summary>Remembers an index.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="index">The index, which is in the trusted index's file for this commit.</param>
    public void Keep(string slot, VerifiedIndex index)
    {
        if (_known.TryGetValue(slot, out Known? before) && before.Index.TryGetTarget(out IndexFile? useless))
        {
            lock (_held)
            {
                _held.Remove(useless);
            }
        }

        _known[slot] = new Known(index.Commit, index.Written, new WeakReference<IndexFile>(index.Index));
        Hold(index.Index);
    }

    private void Hold(IndexFile index)
    {
        lock (_held)
        {
            _held.Remove(index);
            _held.AddFirst(index);
            while (_held.Sum(held => (long)held.Bytes.Length) > MostHeld)
            {
                _held.RemoveLast();
            }
        }
    }

    private sealed record Known(string Commit, FileStamp Written, WeakReference<IndexFile> Index);
}

/// <summary>A trusted index that was read.</summary>
/// <param name="Commit">Whose tree it is.</param>
/// <param name="Index">What is in it.</param>
/// <param name="Written">The status of its file: how old it is tells which entries are too young to be trusted.</param>
internal sealed record VerifiedIndex(string Commit, IndexFile Index, FileStamp Written);
