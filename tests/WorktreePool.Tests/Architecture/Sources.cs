using System.Text.RegularExpressions;

namespace WorktreePool.Tests.Architecture;

/// <summary>The repository's own files, as the tests of its rules read them.</summary>
internal static class Sources
{
    public static string Root { get; } = FindRoot();

    /// <summary>Source files under a folder, by their path from the root.</summary>
    public static IEnumerable<(string Path, string Text)> CSharp(string folder) =>
        Files(folder).Where(path => path.EndsWith(".cs", StringComparison.Ordinal)).Select(path => (path, Read(path)));

    /// <summary>Files under a folder, without what builds and git make.</summary>
    public static IEnumerable<string> Files(string folder) =>
        new DirectoryInfo(Path.Combine(Root, folder)).EnumerateFileSystemInfos()
            .Where(entry => entry.Name is not ("bin" or "obj" or ".git" or "artifacts" or "TestResults" or "BenchmarkDotNet.Artifacts"))
            .SelectMany(entry => entry is DirectoryInfo ? Files(Path.Combine(folder, entry.Name)) : [Path.Combine(folder, entry.Name).Replace('\\', '/')]);

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>The code without comments and literals, so that a word in a sentence is no call.</summary>
    public static string Code(string text) =>
        Regex.Replace(text, """//[^\n]*|"(?:\\.|[^"\\\n])*"|/\*.*?\*/""", "", RegexOptions.Singleline);

    private static string FindRoot()
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "WorktreePool.sln")))
            {
                return directory;
            }
        }

        throw new InvalidOperationException("The tests do not run inside of the repository.");
    }
}
