using System.Security.Cryptography;

namespace WorktreePool.Process.Tests;

/// <summary>What lies under a directory: every path with its kind, mode, link target and content.</summary>
internal sealed class DirectoryTree
{
    private readonly string _root;
    private readonly Dictionary<string, string> _entries;

    private DirectoryTree(string root, Dictionary<string, string> entries) => (_root, _entries) = (root, entries);

    public static DirectoryTree Read(string root)
    {
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false };
        return new DirectoryTree(root, new DirectoryInfo(root).EnumerateFileSystemInfos("*", everything).ToDictionary(entry => Path.GetRelativePath(root, entry.FullName), Describe));
    }

    /// <summary>Fails with the paths that were added, removed or changed since.</summary>
    /// <param name="because">Why nothing should have changed.</param>
    /// <param name="except">A path that does not count; null: all do.</param>
    public void ShouldBeUnchanged(string because, string? except = null)
    {
        Dictionary<string, string> now = Read(_root)._entries;
        now.Keys.Union(_entries.Keys).Where(path => path != except && now.GetValueOrDefault(path) != _entries.GetValueOrDefault(path)).Order(StringComparer.Ordinal)
            .Should().BeEmpty(because);
    }

    private static string Describe(FileSystemInfo entry)
    {
        string kind = entry.LinkTarget is { } target ? $"link to {target}"
            : entry is DirectoryInfo ? "directory"
            : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(entry.FullName)));
        return OperatingSystem.IsWindows() ? kind : $"{kind} {entry.UnixFileMode}";
    }
}
