using WorktreePool.Tests.Model;
using WorktreePool.Tests.Runtime;

namespace WorktreePool.Postgres.Tests;

/// <summary>
/// Random steps of several clients against the model that the other stores are held to: 300 in the ordinary run. For longer:
/// WORKTREE_POOL_MODEL_SECONDS=600 dotnet test tests/WorktreePool.Postgres.Tests --filter FullyQualifiedName~PostgresModelTests
/// </summary>
public sealed class PostgresModelTests(PostgresServer server) : IAsyncLifetime
{
    private const int Runs = 3;

    private readonly string _directory = Directory.CreateTempSubdirectory("wp-model-").FullName;
    private readonly string _schema = server.NewName();
    private int _pools;

    /// <summary>The database's clock is the model's: found before PostgreSQL's own on the search path.</summary>
    public async ValueTask InitializeAsync() => await server.ExecuteAsync(
        $"""
        CREATE SCHEMA {_schema};
        CREATE TABLE {_schema}.clock (now timestamptz NOT NULL);
        INSERT INTO {_schema}.clock VALUES ('2026-06-03T21:00:00Z');
        CREATE FUNCTION {_schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM {_schema}.clock';
        """);

    public ValueTask DisposeAsync()
    {
        new DirectoryInfo(_directory).Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public Task The_pool_does_what_the_model_says_with_PostgreSQL() => RandomSteps.SampleAsync(NewMachine, Runs, threads: 1);

    private FakeMachine NewMachine()
    {
        string pool = $"{_schema}-{_pools++}";
        server.ExecuteAsync($"UPDATE {_schema}.clock SET now = '2026-06-03T21:00:00Z'").GetAwaiter().GetResult();
        return new FakeMachine(Path.Combine(_directory, pool), useStore: builder => builder.UsePostgres($"{server.ConnectionString};Search Path=\"{_schema},pg_catalog\"", options =>
        {
            // Steps of hours are this model's subject, silent hosts are not.
            (options.Pool, options.HostTimeout) = (pool, TimeSpan.FromDays(7));
        }))
        {
            ClockMoved = now => server.ExecuteAsync($"UPDATE {_schema}.clock SET now = '{now:O}'"),
        };
    }
}
