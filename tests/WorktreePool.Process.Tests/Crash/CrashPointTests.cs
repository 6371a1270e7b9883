using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace WorktreePool.Process.Tests.Crash;

/// <summary>
/// A process is killed by SIGKILL at every crash point, and the next process's claim succeeds at once. In the ordinary run each point is killed in one
/// operation, a git only while it runs, and a file when it is begun and when it is in place. Each point of each operation, with the list of them in the output:
/// WORKTREE_POOL_CRASH_ALL=1 dotnet test tests/WorktreePool.Process.Tests --filter FullyQualifiedName~CrashPointTests --logger "console;verbosity=detailed"
/// </summary>
public sealed partial class CrashPointTests(CrashTraces traces, ITestOutputHelper output) : IClassFixture<CrashTraces>
{
    /// <summary>Points that some operation was killed at in this run.</summary>
    private static readonly ConcurrentDictionary<string, string> Killed = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static bool All => Environment.GetEnvironmentVariable("WORKTREE_POOL_CRASH_ALL") == "1";

    /// <summary>The operation as SLOTS-NAME, how the pool stands before it, and a point that shows that the operation did what it is to do.</summary>
    public static TheoryData<string, string, string> Operations => new()
    {
        { "2-init", "no pool", "after record Free" },
        { "3-init", "free", "after repair Rebuild" },
        { "1-init", "dead", "after record removed" },
        { "2-claim", "no pool", "after record Leased" },
        { "2-claim", "dirty", "after rescue" },
        { "2-claim", "half rescued", "broken ref removed" },
        { "2-claim", "dead", "after delete branch" },
        { "2-release", "held", "after delete branch" },
        { "2-discard", "held", "after delete branch" },
        { "2-run", "free", "worked" },
        { "2-maintain", "broken", "after history Healed" },
        { "2-maintain", "dead", "after history Reclaimed" },
        { "2-maintain", "wrecked", "after history Healed" },
        { "2-rescue", "rescued", "after rescue dropped" },
        { "1-init", "wrecked", "admin file moved away" },
        { "2-libgit2", "links", "index in place" },
        { "2-claim", "submodule", "submodule HEAD written" },
        { "2-claim", "damaged", "damaged .idx set aside" },
        { "2-claim", "missing", "new .idx in place" },
        { "2-warm", "dead", "set-up step ended" },
        { "2-own", "own", "isolated repository in place" },
        { "2-own", "own strays", "repository file restored" },
        { "2-own", "own misnamed", "ref given a plain name" },
        { "2-ownrescue", "own rescued", "directory of own refs made" },
        { "2-maintain", "old history", "history put in place" },
        { "2-command", "no pool", "settings in place" },
        { "2-command", "half set", "debris of a killed writer deleted" },
        { "2-cancel", "dirty", "given back" },
        { "2-claim", "deep", "unreadable file moved aside" },
        { "2-taken", "submodule", "submodule path made" },
        { "2-claim", "pipes", "pipe set aside" },
        { "2-claim", "shortcut", "index over packs set aside" },
        { "2-sparse", "links", "sparse directory made" },
    };

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task No_instant_of_an_operation_is_unsafe(string operation, string before, string shows)
    {
        (_, CrashStage stage, IReadOnlyList<string> points) = await traces.GetAsync(operation, before);
        points.Should().Contain(point => point.EndsWith(shows, StringComparison.Ordinal));
        points.Should().Contain(point => point.EndsWith(" held", StringComparison.Ordinal) || operation.EndsWith("rescue", StringComparison.Ordinal), "only debug builds have the points inside of the library");

        List<string> chosen = [.. points.Where(point => point.StartsWith("1 ", StringComparison.Ordinal) && (All || !LikeTheOneBefore().IsMatch(point)) && (Killed.TryAdd(point, operation) || All))];
        await stage.ShouldSurviveKillsAsync(operation, before, chosen, output, Token);
    }

    [Fact]
    public async Task Every_point_in_the_code_is_passed_by_some_operation()
    {
        HashSet<string> passed = [];
        foreach (TheoryDataRow<string, string, string> row in Operations)
        {
            passed.UnionWith((await traces.GetAsync(row.Data.Item1, row.Data.Item2)).Points.Select(point => point.Split(' ', 2)[1]));
        }

        string[] named = [.. Sources().SelectMany(text => Point().Matches(text)).Select(point => point.Groups[1].Value).Distinct()];
        named.Should().HaveCountGreaterThan(40);
        named.Where(name => !passed.Any(new Regex($"^{Hole().Replace(Regex.Escape(name), ".+")}$").IsMatch))
            .Should().BeEmpty("a point that no operation passes is one that nobody was ever killed at: add an operation, or a state before it, that does");
        output.WriteLine($"{named.Length} statements' points, {passed.Count} points with their names filled in and those at the seams");
    }

    private static IEnumerable<string> Sources()
    {
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root!, "WorktreePool.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        return new[] { "WorktreePool.Git", "WorktreePool.FileState", "WorktreePool.Cli", "Shared" }
            .SelectMany(project => Directory.EnumerateFiles(Path.Combine(root!, "src", project), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)).Select(File.ReadAllText);
    }

    /// <summary>Points at which the disk is as at the one before, or nearly so.</summary>
    [GeneratedRegex(@"^\d+ (git .* (to start|ended)|before .*|.* written)$")]
    private static partial Regex LikeTheOneBefore();

    [GeneratedRegex("""CrashPoint\.Reached\(\$?"((?:\{[^}]*\}|[^"{])*)"\)""")]
    private static partial Regex Point();

    /// <summary>A value in a name, as <see cref="Regex.Escape"/> leaves it.</summary>
    [GeneratedRegex(@"\\\{.*?\}")]
    private static partial Regex Hole();
}
