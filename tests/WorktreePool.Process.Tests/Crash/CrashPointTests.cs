using System.Collections.Concurrent;

namespace WorktreePool.Process.Tests.Crash;

/// <summary>
/// A process is killed by SIGKILL at every crash point, and the next process's claim succeeds at once. In the ordinary run each point is
/// killed in one operation; with WORKTREE_POOL_CRASH_ALL=1 each point of each operation. The list of points is in the test's output.
/// </summary>
public sealed class CrashPointTests(ITestOutputHelper output)
{
    /// <summary>Points that some operation was killed at in this run.</summary>
    private static readonly ConcurrentDictionary<string, string> Killed = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The operation as SLOTS-NAME, how the pool stands before it, and a point that shows that the operation did what it is to do.</summary>
    public static TheoryData<string, string, string> Operations => new()
    {
        { "2-init", "no pool", "after record Free" },
        { "3-init", "free", "after repair Rebuild" },
        { "1-init", "dead", "after record removed" },
        { "2-claim", "no pool", "after record Leased" },
        { "2-claim", "dirty", "after rescue" },
        { "2-claim", "dead", "after delete branch" },
        { "2-release", "held", "after delete branch" },
        { "2-discard", "held", "after delete branch" },
        { "2-run", "free", "worked" },
        { "2-maintain", "broken", "after history Healed" },
        { "2-maintain", "dead", "after history Reclaimed" },
        { "2-rescue", "rescued", "after rescue dropped" },
    };

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task No_instant_of_an_operation_is_unsafe(string operation, string before, string shows)
    {
        await using var site = new CrashSite();
        var stage = new CrashStage(site);
        await stage.SetAsync(before);
        site.Keep();
        IReadOnlyList<string> points = await site.TraceAsync(operation);
        points.Should().Contain(point => point.EndsWith(shows, StringComparison.Ordinal));
        points.Should().Contain(point => point.EndsWith("state file in place", StringComparison.Ordinal) || operation == "2-rescue", "only debug builds have the points inside of the library");
        bool all = Environment.GetEnvironmentVariable("WORKTREE_POOL_CRASH_ALL") == "1";

        List<string> chosen = [.. points.Where(point => point.StartsWith("1 ", StringComparison.Ordinal) && (Killed.TryAdd(point, operation) || all))];
        List<string> unsafePoints = [];
        foreach (string point in chosen)
        {
            site.Restore();
            (int code, string error) = await site.CrashAsync(operation, point);
            code.Should().Be(137, "{0} was to be killed at {1}: {2}", operation, point, error);
            try
            {
                await stage.ShouldSurviveAsync(operation, before, Token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                unsafePoints.Add($"{point}: {e.GetType().Name}: {e.Message}");
            }
        }

        output.WriteLine($"{operation} with {before}: killed at {chosen.Count} points, {unsafePoints.Count} of them unsafe");
        chosen.ForEach(output.WriteLine);
        unsafePoints.Should().BeEmpty();
    }
}
