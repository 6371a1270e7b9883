using System.Text.RegularExpressions;

namespace WorktreePool.Tests.Architecture;

/// <summary>
/// Each statement of the file store, the git backends and the settings' file that changes the disk is followed by a crash point, before the next such statement. Without
/// this rule a new step would be one at which nobody was ever killed; that each point is killed at is the crash suite's part.
/// </summary>
public sealed class CrashPointRuleTests
{
    private static readonly Regex Change = new(
        @"(?<!\w)(File\.(Move|Delete|Copy|Replace|WriteAll\w+|AppendAll\w+|Create\w*)|Directory\.(CreateDirectory|Move|Delete|CreateSymbolicLink)|UnixFiles\.Move|UnixCalls\.TryExchange|RandomAccess\.(Write|SetLength))\(|FileMode\.(Create|CreateNew|OpenOrCreate|Append)\b");

    /// <summary>What only tidies up after a failure: a process killed there has changed nothing that a process killed before it has not.</summary>
    private static readonly Regex Tidying = new(@"^(File\.Delete\((temporary|sibling)\)|RandomAccess\.Write\(file!, new byte\[)");

    [Theory]
    [InlineData("src/WorktreePool.FileState", 10)]
    [InlineData("src/Shared", 0)]
    [InlineData("src/WorktreePool.Git", 50)]
    [InlineData("src/WorktreePool.Cli/Settings", 3)]
    public void Each_statement_that_changes_the_disk_is_followed_by_a_crash_point(string folder, int atLeast)
    {
        (string Path, string Text)[] files = [.. Sources.CSharp(folder)];

        files.SelectMany(file => Unmarked(file.Text).Select(statement => $"{file.Path}: {statement}")).Should().BeEmpty("a crash test must be able to kill a process right after it");
        files.Sum(file => Changes(file.Text).Count()).Should().BeGreaterThan(atLeast, "they are found");
    }

    [Theory]
    [InlineData("File.Move(a, b);", 1)]
    [InlineData("File.Move(a, b);\n// CrashPoint.Reached(\"moved\");", 1)]
    [InlineData("File.Move(a, b);\nCrashPoint.Reached(\"moved\");", 0)]
    [InlineData("Directory.CreateDirectory(a);\nFile.WriteAllText(b, c);\nCrashPoint.Reached(\"written\");", 1)]
    [InlineData("using var file = new FileStream(path, FileMode.CreateNew);\nfile.Write(bytes);", 1)]
    [InlineData("catch\n{\nFile.Delete(temporary);\nthrow;\n}", 0)]
    public void A_statement_without_one_is_found(string code, int unmarked) => Unmarked(code).Should().HaveCount(unmarked);

    private static IEnumerable<Match> Changes(string text) => Change.Matches(Sources.Code(text)).Where(change => !Tidying.IsMatch(Sources.Code(text)[change.Index..]));

    /// <summary>The statements that are not followed by a point before the next one.</summary>
    private static IEnumerable<string> Unmarked(string text)
    {
        string code = Sources.Code(text);
        Match[] changes = [.. Changes(text)];
        return changes.Select((change, at) => (change.Index, End: at + 1 < changes.Length ? changes[at + 1].Index : code.Length))
            .Where(span => !code[span.Index..span.End].Contains("CrashPoint.Reached(", StringComparison.Ordinal))
            .Select(span => code[span.Index..].Split('\n')[0]);
    }
}
