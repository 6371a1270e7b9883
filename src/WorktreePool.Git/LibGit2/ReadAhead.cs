using System.Buffers;
using LibGit2Sharp;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Contents of small files that are to be made, read from the repository while there is nothing else to do: as many as there is time for. Whoever makes the files reads the rest.
/// </summary>
internal static class ReadAhead
{
    /// <summary>A longer file is not worth its memory: to write it takes longer than to read it.</summary>
    private const int Longest = 1 << 16;

    /// <summary>As many bytes are kept at most, for a slot that perhaps never gets them.</summary>
    private const int Most = 1 << 20;

    /// <summary>Reads.</summary>
    /// <param name="objects">The repository, for this thread alone.</param>
    /// <param name="entries">The slot's files; those without a stamp are to be made.</param>
    /// <param name="isEnough">Asked before each file.</param>
    /// <returns>Contents by the place of their entry. What cannot be read is not among them: whoever makes the file says why.</returns>
    public static IReadOnlyDictionary<int, byte[]> Read(ObjectReader objects, IndexEntry[] entries, Func<bool> isEnough)
    {
        Dictionary<int, byte[]> contents = [];
        byte[] block = ArrayPool<byte>.Shared.Rent(Longest + 1);
        int total = 0;
        try
        {
            for (int at = 0; at < entries.Length && total < Most; at++)
            {
                if (entries[at].Stamp != default || entries[at].Mode == IndexEntry.Link)
                {
                    continue;
                }

                if (isEnough())
                {
                    break;
                }

                if (objects.Repository.Lookup<Blob>(new ObjectId(entries[at].Id.ToArray())) is { } blob)
                {
                    using Stream content = blob.GetContentStream();
                    int length = content.ReadAtLeast(block, Longest + 1, throwOnEndOfStream: false);
                    if (length <= Longest)
                    {
                        contents.Add(at, block[..length]);
                        total += length;
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }

        return contents;
    }
}
