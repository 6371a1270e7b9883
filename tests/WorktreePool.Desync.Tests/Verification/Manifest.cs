using System.Security.Cryptography;
using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests.Verification;

/// <summary>What lies in a directory: path to kind, link target, executable bit, and content. Made by find(1), so that special files are seen for what they are.</summary>
internal static class Manifest
{
    /// <summary>Reads a directory; a link, a file or nothing in its place is told, too.</summary>
    /// <param name="shell">Runs find.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="without">Paths, relative to it, that do not count, with all below.</param>
    public static async Task<SortedDictionary<string, string>> ReadAsync(Shell shell, string directory, params string[] without)
    {
        string[] pruned = [.. without.SelectMany(path => new[] { "-path", $"{directory}/{path}", "-prune", "-o" })];
        (_, string found) = await shell.TryStartAsync("find", [directory, .. pruned, "-printf", @"%y %m %l\0%P\0"]);
        string[] fields = found.Split('\0');
        SortedDictionary<string, string> manifest = new(StringComparer.Ordinal);
        for (int i = 0; i + 1 < fields.Length; i += 2)
        {
            string[] facts = fields[i].Split(' ', 3);
            manifest[fields[i + 1]] = facts[0] switch
            {
                "f" => (Convert.ToInt32(facts[1], 8) & 0x40) != 0 ? $"x {Hash(directory, fields[i + 1])}" : $"f {Hash(directory, fields[i + 1])}",
                "l" => $"l {facts[2]}",
                _ => facts[0],
            };
        }

        return manifest;
    }

    private static string Hash(string directory, string path)
    {
        try
        {
            return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(directory, path))))[..12];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unreadable";
        }
    }
}
