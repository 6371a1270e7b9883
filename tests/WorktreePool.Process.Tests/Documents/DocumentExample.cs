using System.Text.RegularExpressions;

namespace WorktreePool.Process.Tests.Documents;

/// <summary>A code block of a document: fenced, with its language, or indented, with none.</summary>
/// <param name="Document">Its path from the repository's root.</param>
/// <param name="Line">Where its first line stands.</param>
/// <param name="Language">What the fence says; empty where it says nothing.</param>
/// <param name="Code">The block.</param>
public sealed partial record DocumentExample(string Document, int Line, string Language, string Code)
{
    /// <summary>The repository that this test was built in.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The first line tells a reader which block is meant, wherever it is moved to.</summary>
    public string Name => $"{Document}: {Code.Split('\n')[0].Trim()}";

    /// <summary>Documents that tell a person what to type, by their paths from the root.</summary>
    public static IEnumerable<string> Documents() =>
        new[] { "README.md", "CONTRIBUTING.md" }.Concat(new[] { "docs", "samples" }.SelectMany(folder => Files(folder, "*.md")));

    /// <summary>Every file below a folder, by its path from the root.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/')).Where(path => !Built().IsMatch(path)).Order(StringComparer.Ordinal);

    /// <summary>All blocks of all documents.</summary>
    public static IEnumerable<DocumentExample> All() => Documents().SelectMany(Of);

    /// <summary>A document's blocks, in order.</summary>
    public static List<DocumentExample> Of(string document)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Root, document));
        List<DocumentExample> found = [];
        for (int i = 0; i < lines.Length; i++)
        {
            int start = i + 1;
            if (Fence().Match(lines[i]) is { Success: true } fence)
            {
                int end = Array.FindIndex(lines, start, line => line.TrimStart() == "```");
                end.Should().BePositive($"the block in {document}, line {start}, is closed");
                found.Add(new DocumentExample(document, start + 1, fence.Groups[1].Value, string.Concat(lines[start..end].Select(line => line + "\n"))));
                i = end;
            }
            else if (lines[i].StartsWith("    ", StringComparison.Ordinal) && (i == 0 || lines[i - 1].Length == 0))
            {
                int end = Array.FindIndex(lines, i, line => !line.StartsWith("    ", StringComparison.Ordinal));
                end = end < 0 ? lines.Length : end;
                found.Add(new DocumentExample(document, start, "", string.Concat(lines[i..end].Select(line => line[4..] + "\n"))));
                i = end;
            }
        }

        return found;
    }

    public static string Read(string document) => File.ReadAllText(Path.Combine(Root, document));

    private static string FindRoot()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "WorktreePool.sln")))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return directory;
    }

    [GeneratedRegex(@"^\s*```([A-Za-z]*)$")]
    private static partial Regex Fence();

    [GeneratedRegex("(^|/)(bin|obj)/")]
    private static partial Regex Built();
}
