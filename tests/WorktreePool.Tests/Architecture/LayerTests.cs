using System.Text.RegularExpressions;

namespace WorktreePool.Tests.Architecture;

/// <summary>Imports point one way: contracts, Lifecycle, Runtime, DependencyInjection; backends, stores and the command see the contracts only.</summary>
public sealed class LayerTests
{
    /// <summary>A folder, and the parts of the project that its files must not mention.</summary>
    public static TheoryData<string, string[]> Rules => new()
    {
        { "src/WorktreePool/*", ["Lifecycle", "Runtime", "DependencyInjection", "Diagnostics"] },
        { "src/WorktreePool/Lifecycle", ["Runtime", "DependencyInjection", "Diagnostics"] },
        { "src/WorktreePool/Diagnostics", ["Lifecycle", "Runtime", "DependencyInjection"] },
        { "src/WorktreePool/Runtime", ["DependencyInjection"] },
        { "src/WorktreePool.FileState", ["Lifecycle", "Runtime", "Diagnostics", "Git", "Testing"] },
        { "src/WorktreePool.Postgres", ["Lifecycle", "Runtime", "Diagnostics", "Git", "Testing"] },
        { "src/WorktreePool.Git", ["Lifecycle", "Runtime", "Diagnostics", "FileState", "Testing"] },
        { "src/WorktreePool.Git/Worktree", ["Cli", "LibGit2", "Auto"] },
        { "src/WorktreePool.Git/Cli", ["LibGit2", "Auto"] },
        { "src/WorktreePool.Git/LibGit2", ["Auto"] },
        { "src/WorktreePool.Testing", ["Lifecycle", "Runtime", "Diagnostics", "FileState", "Git"] },
        { "src/WorktreePool.Hosting", ["Lifecycle", "Runtime", "Diagnostics", "FileState", "Git", "Testing"] },
        { "src/WorktreePool.Testing.Conformance", ["Lifecycle", "Runtime", "Diagnostics", "FileState", "Git"] },
        { "src/WorktreePool.Cli", ["Lifecycle", "Runtime", "Diagnostics", "Testing"] },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_layer_does_not_mention_what_it_must_not_see(string folder, string[] forbidden)
    {
        bool only = folder.EndsWith("/*", StringComparison.Ordinal);
        string directory = folder.TrimEnd('*', '/');
        (string Path, string Text)[] files = [.. Sources.CSharp(directory).Where(file => !only || Path.GetDirectoryName(file.Path)!.Replace('\\', '/') == directory)];
        files.Should().NotBeEmpty();
        foreach (string part in forbidden)
        {
            // "Runtime.X" and "using WorktreePool.Runtime", but neither "System.Runtime.X" nor a member called Git.
            var mention = new Regex($@"\bWorktreePool\.(Git\.)?{part}\b|(?<![.\w]){part}\.(Claim|Heal|Slot|Names|Counting|Pool|Worktree|Git|Admin|Lib)\w*");
            files.Where(file => mention.IsMatch(Sources.Code(file.Text))).Select(file => file.Path).Should().BeEmpty("{0} must not see {1}", folder, part);
        }
    }

    [Fact]
    public void The_policy_is_pure()
    {
        var impure = new Regex(@"\b(async|await|Task|ValueTask|Thread|Lock|lock|File|Directory|Stream|Process\.|Environment|Console|TimeProvider|DateTime\.|Random|Guid\.NewGuid|ILogger|CancellationToken|ISlotStateStore|IGitBackend|IProcessTable)\b");
        foreach ((string path, string text) in Sources.CSharp("src/WorktreePool/Lifecycle"))
        {
            impure.Match(Sources.Code(text)).Value.Should().BeEmpty("{0} has no input, output, clock or task", path);
        }
    }

    [Fact]
    public void Projects_refer_only_to_what_their_layer_may_see()
    {
        var allowed = new Dictionary<string, string[]>
        {
            ["WorktreePool"] = [],
            ["WorktreePool.FileState"] = ["WorktreePool"],
            ["WorktreePool.Git"] = ["WorktreePool"],
            ["WorktreePool.Testing"] = ["WorktreePool"],
            ["WorktreePool.Testing.Conformance"] = ["WorktreePool"],
            ["WorktreePool.Postgres"] = ["WorktreePool"],
            ["WorktreePool.Hosting"] = ["WorktreePool"],
            ["WorktreePool.Cli"] = ["WorktreePool", "WorktreePool.FileState", "WorktreePool.Git", "WorktreePool.Postgres"],
        };
        foreach (string project in Sources.Files("src").Where(path => path.EndsWith(".csproj", StringComparison.Ordinal)))
        {
            IEnumerable<string> references = Regex.Matches(Sources.Read(project), @"ProjectReference Include=""[^""]*/([^/""]+)\.csproj""").Select(match => match.Groups[1].Value);
            references.Should().BeSubsetOf(allowed[Path.GetFileNameWithoutExtension(project)], project);
            Sources.Read(project).Should().NotMatchRegex(@"InternalsVisibleTo Include=""WorktreePool(\.(Cli|Git|FileState|Testing|Postgres|Hosting))?""", "only tests look inside: {0}", project);
        }
    }

    [Fact]
    public void The_library_waits_by_facts_and_by_an_injected_clock()
    {
        var clocks = new Regex(@"\bDateTime(Offset)?\.(Utc)?Now\b|\bStopwatch\b|\bnew Timer\(|\.CancelAfter\(|\bThread\.Sleep\b|\bEnvironment\.TickCount");
        foreach ((string path, string text) in Sources.CSharp("src").Where(file => !file.Path.StartsWith("src/WorktreePool.Cli/", StringComparison.Ordinal)))
        {
            string code = Sources.Code(text);
            clocks.Match(code).Value.Should().BeEmpty(path);
            foreach (Match delay in Regex.Matches(code, @"Task\.Delay\(([^;]*)\);?"))
            {
                delay.Groups[1].Value.Should().MatchRegex(@"(?i)\b(_?time|clock|context\.Time)\b", "a delay takes the clock, in {0}", path);
            }
        }
    }
}
