using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>
/// The last two versions of one record, each in its own half of a file that never changes its size. A new version goes into the half of the one
/// before the last, so that a write which is cut off spoils nothing that counts, as long as the last one was on the disk before. One fdatasync makes it durable: no name and no
/// length changes.
/// </summary>
/// <remarks>
/// A half is a header of 64 bytes (<c>WPJ1</c>, the content's length as int32, the number of the write as int64, SHA-256 of these 16 bytes and the
/// content, zeros), little-endian, and the content. The half with the higher number counts.
/// </remarks>
internal sealed class JournalFile(string path)
{
    private const int Page = 4096;
    private const int HeaderLength = 64;
    private const int HashAt = 16;

    /// <summary>The last version as this process wrote it.</summary>
    private Written? _written;

    private static ReadOnlySpan<byte> Magic => "WPJ1"u8;

    /// <summary>Another process may have written a version.</summary>
    public void Forget() => _written = null;

    /// <summary>The last version; null when there is none.</summary>
    /// <param name="damage">What is wrong with the file; null when it is missing or whole.</param>
    public byte[]? TryRead(out string? damage)
    {
        damage = null;
        if (DocumentFile.TryRead(path) is not { } bytes)
        {
            return null;
        }

        if (Last(bytes) is not { } last)
        {
            damage = "neither half of its journal is whole.";
            return null;
        }

        return bytes[last.Content];
    }

    /// <summary>Adds a version. The one before is on the disk first, or a power loss could take both.</summary>
    /// <param name="content">The version.</param>
    /// <param name="isSure">Whether the one before is known to be on the disk; if not, and unless this process has brought it there, it is brought there now.</param>
    /// <param name="later">Is given what brings the new version to the disk; null: it is there when this returns.</param>
    /// <returns>Whether the file was made anew.</returns>
    public bool Write(ReadOnlySpan<byte> content, bool isSure, Action<Action>? later)
    {
        using SafeFileHandle? file = UnixCalls.TryOpen(path, FileAccess.ReadWrite);
        Written? before = file is null ? null : _written is { } known && UnixCalls.LengthOf(file) == known.Length ? known : Find(DocumentFile.ReadAll(file, path));
        _written = null;
        if (before is null || HeaderLength + content.Length > before.Length / 2)
        {
            Create(content);
            return true;
        }

        if (!isSure && !before.IsDurable)
        {
            Sync(file!);
        }

        long at = before.At == 0 ? before.Length / 2 : 0;
        byte[] version = Version(content, before.Number + 1);
        var next = new Written(before.Length, at, before.Number + 1);
        try
        {
            RandomAccess.Write(file!, version, at);
            CrashPoint.Reached("state journal written");
            if (later is null)
            {
                UnixCalls.SyncData(file!);
                CrashPoint.Reached("state journal durable");
                next.IsDurable = true;
            }
        }
        catch (IOException)
        {
            // It must not count later what was said to have failed.
            RandomAccess.Write(file!, new byte[HeaderLength], at);
            throw;
        }

        _written = next;
        later?.Invoke(() => Confirm(next));
        return false;
    }

    /// <summary>Brings to the disk what a writer may have left on the way there.</summary>
    public void Secure()
    {
        using SafeFileHandle? file = UnixCalls.TryOpen(path, FileAccess.ReadWrite);
        if (file is not null)
        {
            Sync(file);
        }
    }

    /// <summary>Brings a version to the disk that others see already.</summary>
    private void Confirm(Written version)
    {
        try
        {
            Secure();
            version.IsDurable = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateStoreException($"The pool's state was changed, but the disk did not confirm it, so a power loss may undo the change ({path}: {e.Message}). Check the disk.", e);
        }
    }

    private static void Sync(SafeFileHandle file)
    {
        UnixCalls.SyncData(file);
        CrashPoint.Reached("state journal secured");
    }

    private static Written? Find(byte[] bytes) => Last(bytes) is { } last ? new Written(bytes.Length, last.At, last.Number) : null;

    private void Create(ReadOnlySpan<byte> content)
    {
        int half = (HeaderLength + content.Length + Page - 1) / Page * Page;
        byte[] bytes = new byte[2 * half];
        Version(content, 1).CopyTo(bytes, 0);
        DocumentFile.Write(path, bytes);
    }

    private static byte[] Version(ReadOnlySpan<byte> content, long number)
    {
        byte[] version = new byte[HeaderLength + content.Length];
        Magic.CopyTo(version);
        BinaryPrimitives.WriteInt32LittleEndian(version.AsSpan(4), content.Length);
        BinaryPrimitives.WriteInt64LittleEndian(version.AsSpan(8), number);
        content.CopyTo(version.AsSpan(HeaderLength));
        Hash(version, version.AsSpan(HashAt, SHA256.HashSizeInBytes));
        return version;
    }

    /// <summary>The last whole version: where its half begins, its number, and where its content is.</summary>
    private static (int At, long Number, Range Content)? Last(byte[] bytes)
    {
        if (bytes.Length == 0 || bytes.Length % (2 * Page) != 0)
        {
            return null;
        }

        (int At, long Number, Range Content)? last = null;
        foreach (int at in (ReadOnlySpan<int>)[0, bytes.Length / 2])
        {
            if (IsWhole(bytes, at, out int length) && NumberIn(bytes, at) is var number && (last is null || number > last.Value.Number))
            {
                last = (at, number, (at + HeaderLength)..(at + HeaderLength + length));
            }
        }

        return last;
    }

    private static long NumberIn(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8));

    private static bool IsWhole(byte[] bytes, int at, out int length)
    {
        length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
        if (!bytes.AsSpan(at, Magic.Length).SequenceEqual(Magic) || length < 0 || length > (bytes.Length / 2) - HeaderLength)
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(bytes.AsSpan(at, HeaderLength + length), hash);
        return hash.SequenceEqual(bytes.AsSpan(at + HashAt, SHA256.HashSizeInBytes));
    }

    private static void Hash(ReadOnlySpan<byte> version, Span<byte> hash)
    {
        // In one piece: to make a hash of pieces costs more than to hash them.
        byte[] hashed = ArrayPool<byte>.Shared.Rent(version.Length);
        version[..HashAt].CopyTo(hashed);
        version[HeaderLength..].CopyTo(hashed.AsSpan(HashAt));
        SHA256.HashData(hashed.AsSpan(0, version.Length - HeaderLength + HashAt), hash);
        ArrayPool<byte>.Shared.Return(hashed);
    }

    /// <summary>A version in the file.</summary>
    /// <param name="length">The file's length.</param>
    /// <param name="at">Where its half begins.</param>
    /// <param name="number">Its number.</param>
    private sealed class Written(long length, long at, long number)
    {
        private volatile bool _isDurable;

        public long Length => length;

        public long At => at;

        public long Number => number;

        /// <summary>Whether this process knows that it is on the disk.</summary>
        public bool IsDurable
        {
            get => _isDurable;
            set => _isDurable = value;
        }
    }
}
