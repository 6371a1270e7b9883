using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// For each slot the trusted index of which this process knows that it is its commit's tree, hides nothing, and changes no bytes of files; as long
/// as its file is the one it was, and there is memory for it: those used last are held, the others are the garbage collector's.
/// </summary>
internal sealed class VerifiedIndexes(TrustedIndex trusted, TimeProvider time)
{
    /// <summary>FAT's, the coarsest of the times that file systems keep: whatever is changed so long after a file's time has another.</summary>
    public static readonly TimeSpan CoarsestTime = TimeSpan.FromSeconds(2);

    /// <summary>In bytes of the files, three of 50,000 entries; in memory they take two and a half times that.</summary>
    private const int MostHeld = 16 << 20;

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly LinkedList<IndexFile> _held = [];
    private readonly ConcurrentDictionary<string, SeenDirectories> _directories = new(StringComparer.Ordinal);

    /// <summary>What this process knows of a slot's directories.</summary>
    public SeenDirectories DirectoriesOf(string slot) => _directories.GetOrAdd(slot, _ => new SeenDirectories(time));

    /// <summary>A slot's index, whatever commit it is of; null when it is not known.</summary>
    public VerifiedIndex? Find(string slot)
    {
        if (_known.TryGetValue(slot, out Known? known) && known.Index.TryGetTarget(out IndexFile? index)
            && trusted.Find(slot, known.Commit) is { } path && UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is { } status && status.Stamp == known.Written)
        {
            Hold(index);
            return new VerifiedIndex(known.Commit, index, known.Written) { Proven = known.Proven, MayProve = time.GetElapsedTime(known.Since) > CoarsestTime };
        }

        return null;
    }

    /// <summary>Remembers an index.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="index">The index, which is in the trusted index's file for this commit.</param>
    public void Keep(string slot, VerifiedIndex index)
    {
        IndexFile? useless = null;
        _ = _known.TryGetValue(slot, out Known? before) && before.Index.TryGetTarget(out useless);
        _known[slot] = new Known(index.Commit, index.Written, new WeakReference<IndexFile>(index.Index), time.GetTimestamp(), FrozenSet<int>.Empty);
        Hold(index.Index, useless);
    }

    /// <summary>What the pool's own index of a slot says, whatever its commit; null when there is none, or none that can be read.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="commit">The commit whose index comes first.</param>
    /// <param name="own">The slot's own index. In a slot that nobody worked in the trusted one is the same, and need not be parsed again.</param>
    public VerifiedIndex? Read(string slot, string commit, IndexFile? own = null)
    {
        if ((trusted.Find(slot, commit) ?? trusted.FindAny(slot)) is not { } path || UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is not { IsFile: true } status)
        {
            return null;
        }

        try
        {
            IndexFile index = own?.IsAt(path) == true ? own : IndexFile.Parse(File.ReadAllBytes(path));

            // Only the entries of a whole index are in order.
            return index.IsPartial ? null : new VerifiedIndex(TrustedIndex.CommitOf(path), index, status.Stamp);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>
    /// Remembers that files which are as young as their index were read, and were right. Such a file must be read, for it may have been changed since in the
    /// same tick of the clock; but not again, when that was long ago: then each later change is seen by its time.
    /// </summary>
    /// <param name="slot">The slot.</param>
    /// <param name="index">From <see cref="Find"/>, before they were read.</param>
    /// <param name="read">The entries.</param>
    public void Prove(string slot, VerifiedIndex index, IReadOnlyCollection<int> read)
    {
        if (index.MayProve && read.Count > 0 && _known.TryGetValue(slot, out Known? known) && known.Written == index.Written)
        {
            _known.TryUpdate(slot, known with { Proven = known.Proven.Union(read).ToFrozenSet() }, known);
        }
    }

    private void Hold(IndexFile index, IndexFile? insteadOf = null)
    {
        lock (_held)
        {
            if (insteadOf is not null)
            {
                _held.Remove(insteadOf);
            }

            _held.Remove(index);
            _held.AddFirst(index);
            while (_held.Sum(held => (long)held.Bytes.Length) > MostHeld)
            {
                _held.RemoveLast();
            }
        }
    }

    /// <param name="Commit">The commit.</param>
    /// <param name="Written">The status of the trusted index's file.</param>
    /// <param name="Index">The index.</param>
    /// <param name="Since">When it was remembered: all its files were made before.</param>
    /// <param name="Proven">The entries that <see cref="Prove"/> was told of.</param>
    private sealed record Known(string Commit, FileStamp Written, WeakReference<IndexFile> Index, long Since, FrozenSet<int> Proven);
}

/// <summary>A trusted index that was read.</summary>
/// <param name="Commit">Whose tree it is.</param>
/// <param name="Index">What is in it.</param>
/// <param name="Written">The status of its file: how old it is tells which entries are too young to be trusted.</param>
internal sealed record VerifiedIndex(string Commit, IndexFile Index, FileStamp Written)
{
    /// <summary>Entries that are as young as the index, and are known to be right by another reading.</summary>
    public FrozenSet<int> Proven { get; init; } = FrozenSet<int>.Empty;

    /// <summary>Whether whoever reads such files from now on proves something.</summary>
    public bool MayProve { get; init; }
}
