namespace WorktreePool.Postgres.Tests;

/// <summary>One pool in the database for one test, with a directory for each host.</summary>
internal sealed class FleetPool(PostgresServer server) : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("wp-fleet-").FullName;

    public string Schema { get; } = server.NewSchema();

    public PostgresSlotStateStore Open(string host = "host-a", string? connectionString = null, Action<PostgresOptions>? configure = null, TimeProvider? time = null, string directory = "")
    {
        var options = new PostgresOptions { ConnectionString = connectionString ?? server.ConnectionString, Pool = "p", Schema = Schema };
        configure?.Invoke(options);
        return new PostgresSlotStateStore(options, host, Path.Combine(_directory, "pool" + directory), time ?? TimeProvider.System);
    }

    public void Dispose() => new DirectoryInfo(_directory).Delete(recursive: true);
}
