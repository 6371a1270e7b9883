using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// An index as git wrote it, read without git: with every flag, the raw bytes of names, and the file times that LibGit2Sharp hides.
/// Versions 2 to 4 of a SHA-1 repository. Whatever else is in the file is an error, never a guess.
/// </summary>
internal sealed class IndexFile
{
    private const int FixedPart = 62;
    private const int HashLength = 20;

    private IndexTree? _trees;

    private IndexFile(byte[] bytes, IndexEntry[] entries, bool isPartial) => (Bytes, Entries, IsPartial) = (bytes, entries, isPartial);

    /// <summary>The file.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>In the order of git: by the bytes of the path.</summary>
    public IndexEntry[] Entries { get; }

    /// <summary>Whether it is split or sparse: then entries are elsewhere, or stand for whole directories.</summary>
    public bool IsPartial { get; }

    /// <summary>The trees that the entries make, computed when they are first asked for: 10 ms for 50,000 entries.</summary>
    public IndexTree Trees => _trees ??= IndexTree.Of(Entries);

    /// <summary>Makes an index.</summary>
    /// <param name="entries">In the order of git, without flags.</param>
    /// <param name="trees">What they make.</param>
    public static IndexFile Make(IndexEntry[] entries, IndexTree trees) => new(IndexWriter.ToBytes(entries, trees), entries, isPartial: false) { _trees = trees };

    /// <summary>Reads an index.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of a kind that is not known here.</exception>
    public static IndexFile Parse(byte[] bytes)
    {
        try
        {
            return new Reader(bytes).Read();
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new InvalidDataException("it ends too early", e);
        }
    }

    /// <summary>Whether a file is byte for byte this one.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public bool IsAt(string path)
    {
        ReadOnlySpan<byte> content = Bytes.Span;
        using SafeFileHandle file = UnixFiles.OpenReal(System.Text.Encoding.UTF8.GetBytes(path));
        if (RandomAccess.GetLength(file) != content.Length)
        {
            return false;
        }

        byte[] block = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            for (int at = 0, read; at < content.Length; at += read)
            {
                read = RandomAccess.Read(file, block, at);
                if (read == 0 || read > content.Length - at || !block.AsSpan(0, read).SequenceEqual(content.Slice(at, read)))
                {
                    return false;
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>The id of an object of this content.</summary>
    public static byte[] ObjectId(string type, ReadOnlySpan<byte> content)
    {
        using IncrementalHash hash = BeginObject(type, content.Length);
        hash.AppendData(content);
        return hash.GetHashAndReset();
    }

    /// <summary>A hash that has taken an object's header and waits for its content.</summary>
    public static IncrementalHash BeginObject(string type, long length)
    {
#pragma warning disable CA5350 // Git's object ids are SHA-1; this is about equality with what git computed.
        IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        hash.AppendData(System.Text.Encoding.ASCII.GetBytes($"{type} {length}\0"));
        return hash;
    }

    private sealed class Reader(byte[] bytes)
    {
        private byte[] _previous = [];
        private bool _ordered = true;
        private int _at = 12;

        public IndexFile Read()
        {
            if (bytes.Length < 12 + HashLength || !bytes.AsSpan(0, 4).SequenceEqual("DIRC"u8))
            {
                throw new InvalidDataException("it is no index");
            }

            int end = bytes.Length - HashLength;
            if (!Checksum.IsRight(bytes, HashLength))
            {
                throw new InvalidDataException("its checksum is wrong");
            }

            uint version = UInt32(4);
            if (version is < 2 or > 4)
            {
                throw new InvalidDataException($"its version is {version}");
            }

            uint count = UInt32(8);
            if (count > (uint)bytes.Length / FixedPart)
            {
                throw new InvalidDataException("it ends too early");
            }

            var entries = new IndexEntry[count];
            for (int i = 0; i < entries.Length; i++)
            {
                entries[i] = ReadEntry(version);
            }

            bool isPartial = ReadExtensions(end);
            return _ordered || isPartial ? new IndexFile(bytes, entries, isPartial) : throw new InvalidDataException("its entries are out of order");
        }

        private IndexEntry ReadEntry(uint version)
        {
            int start = _at;
            ushort flags = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(start + 60, 2));
            ushort more = 0;
            _at = start + FixedPart;
            if ((flags & 0x4000) != 0)
            {
                more = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(_at, 2));
                _at += 2;
            }

            byte[] path = version == 4 ? ReadCompressedPath() : ReadPath(start);
            _ordered &= path.Length > 0 && path.AsSpan().SequenceCompareTo(_previous) >= 0;
            _previous = path;
            return new IndexEntry
            {
                Path = path,
                Mode = UInt32(start + 24),
                Id = bytes.AsMemory(start + 40, HashLength),
                Stamp = new FileStamp(UInt32(start), UInt32(start + 4), UInt32(start + 8), UInt32(start + 12), UInt32(start + 16), UInt32(start + 20), UInt32(start + 28), UInt32(start + 32), UInt32(start + 36)),
                Stage = (flags >> 12) & 3,
                IsHidden = (flags & 0x8000) != 0 || (more & 0x4000) != 0,
                IsIntentToAdd = (more & 0x2000) != 0,
            };
        }

        private byte[] ReadPath(int start)
        {
            int length = bytes.AsSpan(_at).IndexOf((byte)0);
            byte[] path = bytes.AsSpan(_at, length).ToArray();
            _at = start + ((_at + length - start + 8) & ~7);
            return path;
        }

        private byte[] ReadCompressedPath()
        {
            int strip = bytes[_at] & 0x7f;
            while ((bytes[_at++] & 0x80) != 0)
            {
                strip = ((strip + 1) << 7) | (bytes[_at] & 0x7f);
            }

            int length = bytes.AsSpan(_at).IndexOf((byte)0);
            byte[] path = [.. _previous.AsSpan(0, _previous.Length - strip), .. bytes.AsSpan(_at, length)];
            _at += length + 1;
            return path;
        }

        /// <summary>Uppercase extensions are caches that may be ignored; the others change what the entries mean.</summary>
        private bool ReadExtensions(int end)
        {
            bool partial = false;
            while (_at < end)
            {
                ReadOnlySpan<byte> name = bytes.AsSpan(_at, 4);
                if (name.SequenceEqual("link"u8) || name.SequenceEqual("sdir"u8))
                {
                    partial = true;
                }
                else if (name[0] is < (byte)'A' or > (byte)'Z')
                {
                    throw new InvalidDataException($"it has the unknown extension {System.Text.Encoding.Latin1.GetString(name)}");
                }

                _at = checked(_at + 8 + (int)UInt32(_at + 4));
            }

            return partial;
        }

        private uint UInt32(int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at, 4));
    }
}

/// <summary>One entry of an index.</summary>
internal readonly record struct IndexEntry
{
    public const uint Regular = 0x81A4;
    public const uint Executable = 0x81ED;
    public const uint Link = 0xA000;
    public const uint Submodule = 0xE000;

    /// <summary>The bytes of its path.</summary>
    public required byte[] Path { get; init; }

    /// <summary>As in a tree.</summary>
    public required uint Mode { get; init; }

    /// <summary>The 20 bytes of its blob's id.</summary>
    public required ReadOnlyMemory<byte> Id { get; init; }

    /// <summary>The file as it was when the entry was last known to equal it.</summary>
    public FileStamp Stamp { get; init; }

    /// <summary>Above 0 in a conflict.</summary>
    public int Stage { get; init; }

    /// <summary>Assume-unchanged or skip-worktree.</summary>
    public bool IsHidden { get; init; }

    /// <summary>From <c>git add -N</c>.</summary>
    public bool IsIntentToAdd { get; init; }
}
