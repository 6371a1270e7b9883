using System.Text.RegularExpressions;

namespace WorktreePool.Git.Worktree;

/// <summary>
/// The mounts in a directory (proc(5), mountinfo). What lies in a mount is somebody else's: a shared cache, a part of the host that a container was
/// given. It is neither removed nor written to; nothing but the mount table tells, for a bind mount has the device number of what it is in.
/// </summary>
internal static partial class Mounts
{
    private const string Table = "/proc/self/mountinfo";

    /// <summary>The fifth field; see proc(5).</summary>
    private const int MountPoint = 4;

    /// <summary>The mount points at a path and below it; none where there is no mount table.</summary>
    public static IEnumerable<string> AtOrBelow(string path)
    {
        if (!OperatingSystem.IsLinux() || SafeRead() is not { } table)
        {
            return [];
        }

        return table.Split('\n').Select(line => line.Split(' ')).Where(fields => fields.Length > MountPoint).Select(fields => Unescape(fields[MountPoint]))
            .Where(mount => mount == path || mount.StartsWith(path + "/", StringComparison.Ordinal));
    }

    /// <summary>Refuses to work on a slot's files in place while something that is not kept is mounted among them.</summary>
    /// <exception cref="GitBackendException">Something is.</exception>
    public static void Refuse(SlotPlace place, KeepPatterns keep)
    {
        if (AtOrBelow(place.Path).FirstOrDefault(mount => mount != place.Path && !IsKept(mount[(place.Path.Length + 1)..], keep)) is { } inside)
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

    private static string? SafeRead()
    {
        try
        {
            return File.ReadAllText(Table);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Unescape(string field) => Octal().Replace(field, match => ((char)Convert.ToInt32(match.Groups[1].Value, 8)).ToString());

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
