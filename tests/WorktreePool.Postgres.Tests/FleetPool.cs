namespace WorktreePool.Postgres.Tests;

/// <summary>One pool in the database for one test, with a directory for each host.</summary>
/// <param name="server">The database.</param>
/// <param name="alone">In a schema of its own, as its owner: for a test that changes what other pools would see. Else with the dispatcher's few rights.</param>
internal sealed class FleetPool(PostgresServer server, bool alone = false) : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("wp-fleet-").FullName;
    private readonly string _name = server.NewName();

    public string Schema => alone ? _name : PostgresServer.SharedSchema;

    public string Pool => _name;

    /// <summary>With a name by which its sessions are known from those of other tests on the server.</summary>
    public string ConnectionString => $"{server.ConnectAs(alone ? "postgres" : PostgresServer.Dispatcher)};Application Name={_name}";

    /// <summary>Ends every session of its stores, unless they were opened with another connection string.</summary>
    public Task EndSessionsAsync() => server.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = '{_name}'");

    public PostgresSlotStateStore Open(string host = "host-a", string? connectionString = null, Action<PostgresOptions>? configure = null, TimeProvider? time = null, string directory = "", string boot = "boot", string? machine = null)
    {
        var options = new PostgresOptions { ConnectionString = connectionString ?? ConnectionString, Pool = _name, Schema = Schema };
        configure?.Invoke(options);
        return new PostgresSlotStateStore(options, new HostIdentity(host, boot, machine), Path.Combine(_directory, "pool" + directory), time ?? TimeProvider.System);
    }

    public void Dispose() => new DirectoryInfo(_directory).Delete(recursive: true);
}
