using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>A reflog, read as a file; see gitrepository-layout(5), <c>logs</c>.</summary>
internal static class HeadLog
{
    /// <summary>The ids that the ref was moved to, oldest first.</summary>
    public static List<string> Read(string path) =>
        [.. (SafeFile.TryRead(path) ?? "").Split('\n').Select(line => line.Split(' ', 3)).Where(parts => parts.Length == 3 && parts[1].Length is 40 or 64).Select(parts => parts[1])];
}
