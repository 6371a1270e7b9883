using System.Buffers;
using System.Text;
using LibGit2Sharp;
using Microsoft.Win32.SafeHandles;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Makes a slot's files and index equal to a tree. Files that are right are not touched, so build tools see no change; every other one is
/// made anew and never written through, so that what a link leads to stays as it is. The index comes last: without it, nothing is ready.
/// </summary>
internal sealed class Checkout(ObjectReader objects, KeepPatterns keep)
{
    private const int BlockSize = 1 << 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private string? _lastParent;
    private readonly List<IndexEntry> _written = [];

    /// <summary>The files that were made, each with its status since.</summary>
    public IReadOnlyList<IndexEntry> Written => _written;

    /// <summary>Checks out.</summary>
    /// <param name="slot">The slot's directory, which exists.</param>
    /// <param name="index">Where its index is, or shall be.</param>
    /// <param name="target">What its files shall be.</param>
    /// <param name="isReadyWhereItWas">
    /// Whether the slot was just found ready at the commit that <paramref name="target"/> comes from: then only what the commits differ in is touched.
    /// Whoever says so looks at the slot again afterwards.
    /// </param>
    /// <param name="cancellation">Ends the work between two files.</param>
    /// <exception cref="IOException">Something stands in the way.</exception>
    /// <exception cref="GitBackendException">Something cannot be removed, or an object is missing.</exception>
    public void Run(string slot, string index, Target target, bool isReadyWhereItWas, CancellationToken cancellation)
    {
        IndexEntry[] entries = [.. target.Entries];
        if (isReadyWhereItWas)
        {
            RemoveGone(slot, target.Gone);
            WriteAll(slot, entries, at => entries[at].Stamp == default, cancellation);
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

            WriteAll(slot, entries, at => difference.Equal[at] is null, cancellation);
        }

        WriteIndex(index, IndexWriter.ToBytes(entries));
    }

    private void WriteAll(string slot, IndexEntry[] entries, Func<int, bool> isToBeWritten, CancellationToken cancellation)
    {
        for (int at = 0; at < entries.Length; at++)
        {
            if (isToBeWritten(at))
            {
                cancellation.ThrowIfCancellationRequested();
                entries[at] = entries[at] with { Stamp = Write(Path.Combine(slot, UnixFiles.Text(entries[at].Path)), entries[at]) };
                _written.Add(entries[at]);
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

    private FileStamp Write(string path, IndexEntry entry)
    {
        RemoveOld(path);
        string parent = Path.GetDirectoryName(path)!;
        if (parent != _lastParent)
        {
            Directory.CreateDirectory(parent);
            CrashPoint.Reached("checkout directory made");
            _lastParent = parent;
        }

        string id = Convert.ToHexStringLower(entry.Id.Span);
        Blob blob = objects.Repository.Lookup<Blob>(new ObjectId(id))
            ?? throw new GitBackendException($"The object {id}, which {path} is made from, is missing. The slot is not ready; repair the repository with git fsck and fetch.");
        using Stream content = blob.GetContentStream();
        if (entry.Mode == IndexEntry.Link)
        {
            File.CreateSymbolicLink(path, ReadText(content, path));
            CrashPoint.Reached("checkout link made");
            return UnixFiles.Status(Encoding.UTF8.GetBytes(path))?.Stamp ?? throw new IOException($"{path} vanished while it was made");
        }

        using SafeFileHandle file = UnixFiles.Make(Encoding.UTF8.GetBytes(path), entry.Mode == IndexEntry.Executable ? 0x1FF : 0x1B6);
        CrashPoint.Reached("checkout file begun");
        Copy(content, file);
        return UnixFiles.Status(file).Stamp;
    }

    private static void RemoveOld(string path)
    {
        if (UnixFiles.TryUnlink(Encoding.UTF8.GetBytes(path)))
        {
            CrashPoint.Reached("file removed");
        }
        else if (UnixFiles.Status(Encoding.UTF8.GetBytes(path)) is not null)
        {
            TreeRemoval.Remove(path);
        }
    }

    private static void Copy(Stream content, SafeFileHandle file)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            long at = 0;
            for (int read; (read = content.Read(block)) > 0; at += read)
            {
                RandomAccess.Write(file, block.AsSpan(0, read), at);
                CrashPoint.Reached("checkout file written");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private static string ReadText(Stream content, string path)
    {
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        try
        {
            return Strict.GetString(bytes.ToArray());
        }
        catch (ArgumentException e)
        {
            throw new GitBackendException($"{path} is a link to a name that is not UTF-8, which this backend cannot make. The slot is not ready. Use UseGit() or UseGitCli().", e);
        }
    }

    private static void WriteIndex(string path, byte[] bytes)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                // Not to the disk: the pool's own copy goes there, and what a power loss leaves of this one is no index, which the next probe finds.
                file.Write(bytes);
                CrashPoint.Reached("index written");
            }

            File.Move(temporary, path, overwrite: true);
            CrashPoint.Reached("index in place");
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
