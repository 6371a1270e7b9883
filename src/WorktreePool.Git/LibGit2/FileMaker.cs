using System.Buffers;
using System.Text;
using LibGit2Sharp;
using Microsoft.Win32.SafeHandles;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>Makes files of blobs, one after another. Each is made anew and never written through, so that what a link leads to stays as it is.</summary>
/// <param name="objects">The repository, for this thread alone, asked for when the first blob must be read.</param>
internal sealed class FileMaker(Func<ObjectReader> objects)
{
    private const int BlockSize = 1 << 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private string? _lastParent;

    /// <summary>Makes it, in place of what is there.</summary>
    /// <param name="path">Where; directories above it are made.</param>
    /// <param name="entry">What it shall be.</param>
    /// <param name="known">Its content, if that was read already.</param>
    /// <returns>Its status.</returns>
    /// <exception cref="IOException">Something stands in the way.</exception>
    /// <exception cref="GitBackendException">What is there cannot be removed, or the object is missing.</exception>
    public FileStamp Make(string path, IndexEntry entry, byte[]? known)
    {
        RemoveOld(path);
        string parent = Path.GetDirectoryName(path)!;
        if (parent != _lastParent)
        {
            Directory.CreateDirectory(parent);
            CrashPoint.Reached("checkout directory made");
            _lastParent = parent;
        }

        using Stream content = known is not null ? new MemoryStream(known, writable: false) : Open(path, entry);
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

    private Stream Open(string path, IndexEntry entry)
    {
        string id = Convert.ToHexStringLower(entry.Id.Span);
        return objects().Repository.Lookup<Blob>(new ObjectId(id))?.GetContentStream()
            ?? throw new GitBackendException($"The object {id}, which {path} is made from, is missing. The slot is not ready; repair the repository with git fsck and fetch.");
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
}
