using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.SetUp;

/// <summary>
/// A digest of what a step made. A file's status (time of change and inode included) tells that nobody has written to it without reading it: the time of
/// change cannot be set. Where the system does not give it, name, size, mode and time of writing must do.
/// </summary>
internal static class MadeDigest
{
    public static string Of(string root, SetUpStep step, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in PatternMatches.Find(root, step.Makes))
        {
            string full = Path.Combine(root, path);
            Add(hash, path);
            if (step.Check == MadeCheck.Presence)
            {
                Add(hash, SafeFile.IsRealDirectory(full) ? "directory" : "other");
            }
            else if (UnixFiles.IsSupported)
            {
                AddStatus(hash, Encoding.UTF8.GetBytes(full), cancellationToken);
            }
            else
            {
                AddInfo(hash, full, cancellationToken);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AddStatus(IncrementalHash hash, byte[] path, CancellationToken cancellationToken)
    {
        if (UnixFiles.Status(path) is not { } status)
        {
            return;
        }

        FileStamp stamp = status.Stamp with { Device = 0 };
        hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<FileStamp>(in stamp)));
        hash.AppendData(BitConverter.GetBytes(status.Mode));
        if (!status.IsDirectory)
        {
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        List<byte[]> names = UnixFiles.Names(path);
        names.Sort((left, right) => left.AsSpan().SequenceCompareTo(right));
        foreach (byte[] name in names)
        {
            hash.AppendData(name);
            hash.AppendData([0]);
            AddStatus(hash, [.. path, (byte)'/', .. name], cancellationToken);
        }

        // Ends the directory: else a file moved from it to beside it could read the same.
        hash.AppendData([0]);
    }

    private static void AddInfo(IncrementalHash hash, string path, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        bool isDirectory = SafeFile.IsRealDirectory(path);
        FileSystemInfo info = isDirectory ? new DirectoryInfo(path) : new FileInfo(path);
        hash.AppendData(BitConverter.GetBytes((int)info.Attributes));
        hash.AppendData(BitConverter.GetBytes(info.LastWriteTimeUtc.Ticks));
        hash.AppendData(BitConverter.GetBytes(OperatingSystem.IsWindows() ? 0 : (int)info.UnixFileMode));
        hash.AppendData(BitConverter.GetBytes(info is FileInfo { LinkTarget: null } file ? file.Length : 0));
        if (isDirectory)
        {
            foreach (string child in Directory.EnumerateFileSystemEntries(path, "*", new EnumerationOptions { AttributesToSkip = 0 }).Order(StringComparer.Ordinal))
            {
                Add(hash, Path.GetFileName(child));
                AddInfo(hash, child, cancellationToken);
            }

            hash.AppendData([0]);
        }
    }

    private static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\0"));
}
