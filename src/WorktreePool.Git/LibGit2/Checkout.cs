using Microsoft.Win32.SafeHandles;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Makes a slot's files and index equal to a tree. Files that are right are not touched, so build tools see no change; every other one is
/// made anew and never written through, so that what a link leads to stays as it is. The index comes last: without it, nothing is ready.
/// </summary>
internal sealed class Checkout(ObjectReader objects, KeepPatterns keep)
{
    /// <summary>With fewer files than this to a thread, opening the repository for it costs more than it saves.</summary>
    private const int WorthSharing = 16;

    /// <summary>How many files a thread takes at once: neighbours, for two threads in one directory wait for each other.</summary>
    private const int Share = 16;

    /// <summary>The files that were made, each with its status since.</summary>
    public IReadOnlyList<IndexEntry> Written { get; private set; } = [];

    /// <summary>Checks out.</summary>
    /// <param name="slot">The slot's directory, which exists.</param>
    /// <param name="index">Where its index is, or shall be.</param>
    /// <param name="target">What its files shall be. Its entries are brought up to date with the files.</param>
    /// <param name="isReadyWhereItWas">
    /// Whether the slot was just found ready at the commit that <paramref name="target"/> comes from: then only what the commits differ in is touched.
    /// Whoever says so looks at the slot again afterwards.
    /// </param>
    /// <param name="cancellation">Ends the work between two files.</param>
    /// <returns>The index, and the status of its file.</returns>
    /// <exception cref="IOException">Something stands in the way.</exception>
    /// <exception cref="GitBackendException">Something cannot be removed, or an object is missing.</exception>
    public (IndexFile Index, FileStamp Written) Run(string slot, string index, Target target, bool isReadyWhereItWas, CancellationToken cancellation)
    {
        IndexEntry[] entries = target.Entries;
        if (isReadyWhereItWas)
        {
            RemoveGone(slot, target.Gone);
            WriteAll(slot, target, at => entries[at].Stamp == default, cancellation);
        }
        else
        {
            TreeDifference difference = Compare(slot, target, cancellation);
            foreach (byte[] directory in difference.Closed)
            {
                TreeRemoval.MakeOrdinary(Path.Combine(slot, UnixFiles.Text(directory)), slot);
            }

            foreach (byte[] path in difference.Untracked)
            {
                cancellation.ThrowIfCancellationRequested();
                TreeRemoval.Remove(Path.Combine(slot, UnixFiles.Text(path)));
            }

            for (int at = 0; at < entries.Length; at++)
            {
                entries[at] = entries[at] with { Stamp = difference.Equal[at] ?? default };
            }

            WriteAll(slot, target, at => difference.Equal[at] is null, cancellation);
        }

        IndexFile made = IndexFile.Make(entries, target.Trees);
        return (made, WriteIndex(index, made.Bytes.Span));
    }

    /// <summary>Nothing is in the way by now, so it does not matter which file is made first.</summary>
    private void WriteAll(string slot, Target target, Func<int, bool> isToBeWritten, CancellationToken cancellation)
    {
        IndexEntry[] entries = target.Entries;
        int[] files = [.. Enumerable.Range(0, entries.Length).Where(isToBeWritten)];
        int next = 0;
        string repository = objects.Repository.Info.Path;
        Sharing.Run(1 + (files.Length / WorthSharing), () => Make(() => objects), Help, Stop);
        Written = Array.ConvertAll(files, at => entries[at]);

        void Stop() => Volatile.Write(ref next, files.Length);

        void Help()
        {
            // Whoever comes late has nothing left to do.
            if (Volatile.Read(ref next) < files.Length)
            {
                using var another = new LazyObjects(() => ObjectReader.OpenAgain(repository));
                Make(() => another.Value);
            }
        }

        void Make(Func<ObjectReader> reader)
        {
            var maker = new FileMaker(reader);
            for (int from; (from = Interlocked.Add(ref next, Share) - Share) < files.Length;)
            {
                foreach (int at in files.AsSpan(from, Math.Min(Share, files.Length - from)))
                {
                    cancellation.ThrowIfCancellationRequested();
                    entries[at] = entries[at] with { Stamp = maker.Make(Path.Combine(slot, UnixFiles.Text(entries[at].Path)), entries[at], target.Contents.GetValueOrDefault(at)) };
                }
            }
        }
    }

    /// <summary>Removes files, and directories that are empty then: git knows no others.</summary>
    private static void RemoveGone(string slot, IReadOnlyList<byte[]> gone)
    {
        foreach (byte[] path in gone)
        {
            string file = Path.Combine(slot, UnixFiles.Text(path));
            TreeRemoval.Remove(file);
            for (string above = Path.GetDirectoryName(file)!; above.Length > slot.Length && !Directory.EnumerateFileSystemEntries(above).Any(); above = Path.GetDirectoryName(above)!)
            {
                TreeRemoval.Remove(above);
            }
        }
    }

    private TreeDifference Compare(string slot, Target target, CancellationToken cancellation)
    {
        try
        {
            return TreeComparison.Run(slot, target.Entries, target.Written, keep, cancellation);
        }
        catch (IOException)
        {
            TreeRemoval.MakeAccessible(slot);
            return TreeComparison.Run(slot, target.Entries, target.Written, keep, cancellation);
        }
    }

    private static FileStamp WriteIndex(string path, ReadOnlySpan<byte> bytes)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            // Not to the disk: what a power loss leaves of it is no index, which the next probe finds.
            using SafeFileHandle file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write);
            CrashPoint.Reached("index begun");
            RandomAccess.Write(file, bytes, 0);
            CrashPoint.Reached("index written");
            File.Move(temporary, path, overwrite: true);
            CrashPoint.Reached("index in place");

            // By the open file, not by the name: another one may be there by now.
            return UnixFiles.Status(file).Stamp;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
