using System.Buffers;
using System.Text;

namespace WorktreePool.Git.LibGit2;

/// <summary>The content of a tree object, to know its id.</summary>
internal sealed class TreeContent
{
    /// <summary>The mode of a directory in a tree.</summary>
    public const uint Directory = 0x4000;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>Adds what is in the directory, in the order of git.</summary>
    /// <param name="mode">As in an index, or <see cref="Directory"/>.</param>
    /// <param name="name">The bytes of its name.</param>
    /// <param name="id">The id of the blob or tree.</param>
    public void Add(uint mode, ReadOnlySpan<byte> name, ReadOnlySpan<byte> id)
    {
        _bytes.Write(ModeText(mode));
        _bytes.Write(" "u8);
        _bytes.Write(name);
        _bytes.Write("\0"u8);
        _bytes.Write(id);
    }

    /// <summary>The tree's id.</summary>
    public byte[] ToId() => IndexFile.ObjectId("tree", _bytes.WrittenSpan);

    private static ReadOnlySpan<byte> ModeText(uint mode) => mode switch
    {
        IndexEntry.Regular => "100644"u8,
        IndexEntry.Executable => "100755"u8,
        IndexEntry.Link => "120000"u8,
        _ => Encoding.ASCII.GetBytes(Convert.ToString(mode, 8)),
    };
}
