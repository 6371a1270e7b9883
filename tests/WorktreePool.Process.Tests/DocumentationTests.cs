using System.Reflection;
using System.Text.RegularExpressions;

namespace WorktreePool.Process.Tests;

/// <summary>What the documents tell a person to type works, and they leave no finding out.</summary>
public sealed partial class DocumentationTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [InlineData("operations.md")]
    [InlineData("integrations.md")]
    public async Task Every_bash_block_of_a_document_runs(string document)
    {
        List<string> blocks = [.. BashBlock().Matches(Read(document)).Select(match => match.Groups[1].Value)];
        blocks.Count.Should().BeGreaterThan(3);
        foreach (string block in blocks)
        {
            (int code, string output, string error) = await _sandbox.RunAsync(new Invocation
            {
                Wrapper = ["bash", "-c", "PATH=\"${0%/*}:$PATH\"; set -e\n" + block],
            });
            code.Should().Be(0, $"{block}\nsaid: {output}{error}");
        }

        string status = (await _sandbox.RunAsync("status", "--json")).Output;
        status.Should().Contain("\"leased\":0", "the examples give back what they take");
    }

    [Fact]
    public void Every_finding_is_in_the_operators_table()
    {
        string text = Read("operations.md");
        IEnumerable<string> ids = typeof(FindingIds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        ids.Where(id => !text.Contains($"| `{id}` |", StringComparison.Ordinal)).Should().BeEmpty();
    }

    private static string Read(string document)
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "WorktreePool.sln")))
        {
            directory = directory.Parent;
        }

        return File.ReadAllText(Path.Combine(directory.FullName, "docs", document));
    }

    [GeneratedRegex("```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex BashBlock();
}
