using System.Text.RegularExpressions;

namespace WorktreePool.Desync.Tests;

/// <summary>What docs/desync.md says of each state.</summary>
internal static partial class DocumentedStates
{
    /// <summary>The page.</summary>
    public static string Text { get; } = File.ReadAllText(Path.Combine(Root(), "docs", "desync.md"));

    /// <summary>By the state's id, what a claim may report as healed and what the doctor may then say of the repository.</summary>
    public static IReadOnlyDictionary<string, (string[] Healed, string[] Reported)> All { get; } =
        Row().Matches(Section("## States")).ToDictionary(row => row.Groups[1].Value, row => (Words(row.Groups[2]), Words(row.Groups[3])));

    /// <summary>What stands between a heading and the next of its level.</summary>
    public static string Section(string heading)
    {
        string after = Text[(Text.IndexOf(heading, StringComparison.Ordinal) + heading.Length)..];
        int next = after.IndexOf("\n## ", StringComparison.Ordinal);
        return next < 0 ? after : after[..next];
    }

    private static string[] Words(Group cell) => cell.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "WorktreePool.sln")))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return directory;
    }

    [GeneratedRegex(@"^\| `([a-z0-9-]+)` \| [^|]*\| ([a-z -]*)\| ([a-z -]*)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
