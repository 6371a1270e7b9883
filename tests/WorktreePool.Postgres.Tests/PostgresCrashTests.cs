using System.Collections.Concurrent;
using WorktreePool.Process.Tests;
using WorktreePool.Process.Tests.Crash;

namespace WorktreePool.Postgres.Tests;

/// <summary>
/// A process that keeps its state in PostgreSQL is killed by SIGKILL after each change that it made there, and the next process's claim succeeds at once. With
/// WORKTREE_POOL_CRASH_ALL=1 at every crash point of each operation, as the file store's suite does it.
/// </summary>
public sealed class PostgresCrashTests(PostgresServer server, ITestOutputHelper output)
{
    private static readonly ConcurrentDictionary<string, string> Killed = new();

    private static readonly string[] OfTheStore = ["1 after record", "1 after lock", "1 after pool record", "1 after history"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("2-init", "no pool")]
    [InlineData("1-init", "dead")]
    [InlineData("2-claim", "dead")]
    [InlineData("2-release", "held")]
    [InlineData("2-maintain", "broken")]
    public async Task No_instant_of_an_operation_is_unsafe(string operation, string before)
    {
        string pool = server.NewName();
        await using var site = new DatabaseSite(server, pool);
        var stage = new CrashStage(site);
        await stage.SetAsync(before);
        site.Keep();
        IReadOnlyList<string> points = await site.TraceAsync(operation);
        bool all = Environment.GetEnvironmentVariable("WORKTREE_POOL_CRASH_ALL") == "1";
        List<string> chosen = [.. points.Where(point => all
            ? point.StartsWith("1 ", StringComparison.Ordinal)
            : Array.Exists(OfTheStore, of => point.StartsWith(of, StringComparison.Ordinal)) && Killed.TryAdd(point, operation))];
        await stage.ShouldSurviveKillsAsync(operation, before, chosen, output, Token);
    }

    /// <summary>A site whose state is in the database.</summary>
    private sealed class DatabaseSite(PostgresServer server, string pool)
        : CrashSite(new Sandbox { UseStore = builder => builder.UsePostgres(server.ConnectAs(PostgresServer.Dispatcher), options => options.Pool = pool) })
    {
        private static readonly string[] Tables = ["pool", "slot", "host", "move"];

        protected override IReadOnlyDictionary<string, string> Environment => HelperEnvironment.Of(server, pool);

        public override void Keep()
        {
            base.Keep();
            Run(Tables.Select(table => $"CREATE TABLE {pool}_{table} AS SELECT * FROM worktree_pool.{table} WHERE pool = '{pool}'"));
        }

        public override void Restore()
        {
            base.Restore();
            Run(Tables.SelectMany(table => new[] { $"DELETE FROM worktree_pool.{table} WHERE pool = '{pool}'", $"INSERT INTO worktree_pool.{table} SELECT * FROM {pool}_{table}" }));
        }

        private void Run(IEnumerable<string> statements) => server.ExecuteAsync(string.Join("; ", statements)).GetAwaiter().GetResult();
    }
}

/// <summary>What tells the test helper which pool of which database it is to use.</summary>
internal static class HelperEnvironment
{
    public static IReadOnlyDictionary<string, string> Of(PostgresServer server, string pool) => new Dictionary<string, string>
    {
        ["WORKTREE_POOL_TEST_POSTGRES"] = server.ConnectAs(PostgresServer.Dispatcher),
        ["WORKTREE_POOL_TEST_POSTGRES_POOL"] = pool,
    };
}
