using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;
using WorktreePool.Cli.Commands;

namespace WorktreePool.Process.Tests.Documents;

/// <summary>What the documents tell a person to type works, in whatever language, and they leave no finding out.</summary>
public sealed partial class DocumentationTests
{
    /// <summary>Blocks that no test of this class runs, and why; a new one must be run, or be added here.</summary>
    private static readonly Dictionary<string, string> NotRunHere = new()
    {
        ["README.md: dotnet run --project src/WorktreePool.Cli -- demo"] = "a step of .ci/run; the built command's demo is run by DemoCommandTests",
        ["README.md: dotnet test WorktreePool.sln"] = "a step of .ci/run",
        ["README.md: services.AddWorktreePool(\"agents\", options =>"] = "compiled: RepositoryTests compares it with ReadmeExample",
        ["docs/operations.md: {"] = "settings, read by The_settings_of_a_warm_pool_are_accepted",
        ["docs/fleet.md: services.AddWorktreePool(\"agents\", options => { … })"] = "the registration that the samples and the PostgreSQL tests make",
        ["docs/fleet.md: GRANT USAGE ON SCHEMA worktree_pool TO dispatcher;"] = "run by the PostgreSQL tests, which connect as that role",
        ["docs/fleet.md: worktree-pool init --repo app --slots 8 --pool pools/agents --store postgres \\"] = "run by the PostgreSQL tests, for it needs a server",
        ["docs/fleet.md: worktree-pool migrate --to postgres --postgres \"Host=db;Database=pools;Username=dispatcher;SSL Mode=VerifyFull\""] = "run by the PostgreSQL tests, for it needs a server",
        ["docs/fleet.md: dotnet build -c Release benchmarks/WorktreePool.Benchmarks"] = "takes minutes; .ci/run has a small run of it",
        ["docs/fleet.md: own slots                 Index Scan using slot_pkey on slot (rows=8)"] = "output; SizeTests checks the plans",
        ["docs/integrations.md: systemctl enable --now \"worktree-pool-maintain@$(systemd-escape --path /srv/pools/app).timer\""] = "needs systemd as the first process; the units are verified and run by The_units_of_the_package",
        ["docs/performance.md: dotnet run -c Release --project benchmarks/WorktreePool.Benchmarks -- ratios --only StoreB --rounds 31"] = "takes minutes; .ci/run has the dry runs",
    };

    /// <summary>Scripts that the documents and samples consist of, and what runs them.</summary>
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["docs/captures/make.sh"] = "by hand, when a screen changes: its captures are compared by eye",
        ["docs/examples/parallel-jobs.sh"] = "by a block of docs/integrations.md, and by packaging/try-installed.sh in .ci/run",
        ["samples/shell/dispatch.sh"] = "by OtherSampleTests",
        ["samples/shell/dispatch.py"] = "by OtherSampleTests",
    };

    public static TheoryData<string> DocumentsWithBash => [.. DocumentExample.All().Where(example => example.Language == "bash" && !NotRunHere.ContainsKey(example.Name)).Select(example => example.Document).Distinct()];

    /// <summary>By document, language, and which of that language in that document.</summary>
    public static TheoryData<string, string, int> Others =>
        [.. DocumentExample.All().Where(example => example.Language is "python" or "cron" or "systemd" or "yaml").GroupBy(example => (example.Document, example.Language))
            .SelectMany(group => group.Select((_, number) => (group.Key.Document, group.Key.Language, number)))];

    [Theory]
    [MemberData(nameof(DocumentsWithBash))]
    public async Task Every_bash_block_of_a_document_runs_in_order(string document)
    {
        SkipOffLinux();
        await using var stage = new ExampleStage();
        foreach (DocumentExample example in DocumentExample.Of(document).Where(example => example.Language == "bash"))
        {
            await stage.RunBashAsync(example.Code);
        }

        await stage.ShouldBeFreeAsync();
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Every_other_block_is_run_by_what_would_read_it(string document, string language, int number)
    {
        SkipOffLinux();
        string code = DocumentExample.Of(document).Where(example => example.Language == language).ElementAt(number).Code;
        await using ExampleStage stage = await WithPoolAsync();
        switch (language)
        {
            case "python":
                Assert.SkipUnless(ExampleStage.Has("python3"), "python3 is not here.");
                await stage.RunPythonAsync(code);
                break;
            case "cron":
                await stage.RunCronAsync(code);
                break;
            case "yaml":
                await stage.RunWorkflowAsync(code);
                break;
            default:
                await stage.RunUnitAsync(code, "example.service", ExampleStage.Has("systemd-analyze"));
                Assert.SkipUnless(ExampleStage.Has("systemd-analyze"), "systemd-analyze is not here; the unit's command was run.");
                break;
        }

        await stage.ShouldBeFreeAsync();
    }

    [Fact]
    public async Task The_units_of_the_package_are_enabled_as_the_document_says_and_their_command_runs()
    {
        SkipOffLinux();
        Assert.SkipUnless(ExampleStage.Has("systemd-escape") && ExampleStage.Has("systemd-analyze"), "systemd's tools are not here.");
        await using ExampleStage stage = await WithPoolAsync();
        Match enable = Enable().Match(DocumentExample.Read("docs/integrations.md"));
        (int code, string instance, string error) = await stage.Sandbox.RunAsync(new Invocation { Wrapper = ["sh", "-c", stage.Here(enable.Groups[2].Value)] });
        code.Should().Be(0, error);
        string name = $"{enable.Groups[1].Value}@{instance.Trim()}";

        string Unit(string kind) => DocumentExample.Read($"packaging/systemd/{enable.Groups[1].Value}@.{kind}");
        await File.WriteAllTextAsync(Path.Combine(stage.Sandbox.Root, $"{name}.timer"), Unit("timer"), TestContext.Current.CancellationToken);
        await stage.RunUnitAsync(Unit("service"), $"{name}.service", isVerified: true);
        await stage.RunBashAsync($"systemd-analyze verify '{stage.Sandbox.Root}/{name}.timer'");
    }

    [Fact]
    public async Task The_settings_of_a_warm_pool_are_accepted()
    {
        DocumentExample settings = DocumentExample.Of("docs/operations.md").Single(example => example.Language == "json");
        await using var sandbox = new Sandbox();
        await sandbox.InitAsync(1);
        string file = Path.Combine(sandbox.PoolDirectory, "pool.json");
        string both = string.Join(",\n", new[] { await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), settings.Code }.Select(json => json.Trim().Trim('{', '}').Trim().TrimEnd(',')));
        await File.WriteAllTextAsync(file, $"{{{both}}}", TestContext.Current.CancellationToken);

        (int code, string output, string error) = await sandbox.RunAsync("config");

        code.Should().Be(0, error);
        output.Should().Contain("npm");
    }

    [Fact]
    public void Every_block_is_run_or_listed_with_the_reason_why_not()
    {
        string[] left = [.. DocumentExample.All().Where(example => example.Language is not ("bash" or "python" or "cron" or "systemd" or "yaml") || example.Document == "docs/fleet.md").Select(example => example.Name)];
        left.Should().BeEquivalentTo(NotRunHere.Keys);
    }

    [Fact]
    public void Every_script_of_documents_and_samples_is_run() =>
        new[] { "docs", "samples" }.SelectMany(folder => DocumentExample.Files(folder, "*.sh").Concat(DocumentExample.Files(folder, "*.py"))).Should().BeEquivalentTo(Scripts.Keys);

    [Fact]
    public void Every_command_named_in_a_sentence_can_be_typed()
    {
        string[] lines = [.. DocumentExample.Documents().SelectMany(document => Inline().Matches(DocumentExample.Read(document)).Select(match => match.Groups[1].Value.Split(" | ")[0]))];
        lines.Length.Should().BeGreaterThan(20);
        foreach (string line in lines)
        {
            ParseResult parsed = App.Root().Parse(line);
            bool isOnlyNamed = !line.Contains(" -", StringComparison.Ordinal) && parsed.UnmatchedTokens.Count == 0 && parsed.CommandResult.Command != parsed.RootCommandResult.Command;
            (isOnlyNamed || parsed.Errors.Count == 0).Should().BeTrue($"\"{line}\" is in a document: {string.Join(' ', parsed.Errors)}");
        }
    }

    [Fact]
    public void Every_finding_is_in_the_operators_table()
    {
        string text = DocumentExample.Read("docs/operations.md");
        IEnumerable<string> ids = typeof(FindingIds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        ids.Where(id => !text.Contains($"| `{id}` |", StringComparison.Ordinal)).Should().BeEmpty();
    }

    private static async Task<ExampleStage> WithPoolAsync()
    {
        var stage = new ExampleStage();
        await stage.Sandbox.InitAsync(2);
        return stage;
    }

    private static void SkipOffLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The examples are for Linux.");

    [GeneratedRegex("`worktree-pool ([^`]*)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"systemctl enable --now ""([\w-]+)@\$\(([^)]*)\)\.timer""")]
    private static partial Regex Enable();
}
