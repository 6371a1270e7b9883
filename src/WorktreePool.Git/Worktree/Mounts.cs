using System.Text;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// The mounts in a directory (proc(5), mountinfo). What lies in a mount is somebody else's: a shared cache, a part of the host that a container was
/// given. It is neither removed nor written to, nor kept; nothing but the mount table tells, for a bind mount has the device number of what it is in.
/// </summary>
internal static class Mounts
{
    private const string Table = "/proc/self/mountinfo";

    /// <summary>The fifth field; see proc(5).</summary>
    private const int MountPoint = 4;

    /// <summary>The mount points at a path and below it; none where there is no mount table.</summary>
    public static IReadOnlyList<string> AtOrBelow(string path)
    {
        // Mostly there is none, and a claim of a ready slot asks: the table is not taken apart then.
        if (!OperatingSystem.IsLinux() || SafeRead() is not { } table || table.AsSpan().IndexOf(Encoding.UTF8.GetBytes(" " + Escape(path))) < 0)
        {
            return [];
        }

        return [.. Encoding.UTF8.GetString(table).Split('\n').Select(line => line.Split(' ')).Where(fields => fields.Length > MountPoint).Select(fields => Unescape(fields[MountPoint]))
            .Where(mount => mount == path || mount.StartsWith(path + "/", StringComparison.Ordinal))];
    }

    /// <summary>The mounts in a slot that no keep pattern names. The slot itself may be one: somebody gave it a disk of its own.</summary>
    public static IEnumerable<string> In(SlotPlace place, KeepPatterns keep) =>
        AtOrBelow(place.Path).Where(mount => mount != place.Path && !IsKept(mount[(place.Path.Length + 1)..], keep));

    /// <summary>What a mount in a slot means for it; null when there is none.</summary>
    public static Finding? Find(SlotPlace place, KeepPatterns keep) =>
        In(place, keep).FirstOrDefault() is { } mount ? new Finding(FindingIds.MountInside, $"something is mounted on {mount}, which is not the slot's") : null;

    /// <summary>Refuses to work on a slot's files in place while something that is not kept is mounted among them.</summary>
    /// <exception cref="GitBackendException">Something is.</exception>
    public static void Refuse(SlotPlace place, KeepPatterns keep)
    {
        if (In(place, keep).FirstOrDefault() is { } inside)
        {
            throw new GitBackendException($"{place.Slot} holds a mount, {inside}: what is in it is not the slot's. Nothing was changed. Unmount it.");
        }
    }

    private static bool IsKept(string path, KeepPatterns keep)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (keep.Keeps(path[..slash], isDirectory: true))
            {
                return true;
            }
        }

        return keep.Keeps(path, isDirectory: true);
    }

    private static byte[]? SafeRead()
    {
        try
        {
            return File.ReadAllBytes(Table);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The kernel writes these four in octal.</summary>
    private static readonly (char Plain, string Escaped)[] Escapes = [('\\', @"\134"), (' ', @"\040"), ('\t', @"\011"), ('\n', @"\012")];

    private static string Escape(string path) => Escapes.Aggregate(path, (text, escape) => text.Replace(escape.Plain.ToString(), escape.Escaped, StringComparison.Ordinal));

    private static string Unescape(string field) => Escapes.Reverse().Aggregate(field, (text, escape) => text.Replace(escape.Escaped, escape.Plain.ToString(), StringComparison.Ordinal));
}
