using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Npgsql;

[assembly: AssemblyFixture(typeof(WorktreePool.Postgres.Tests.PostgresServer))]

namespace WorktreePool.Postgres.Tests;

/// <summary>
/// A real PostgreSQL of the test run's own: made in a temporary directory, reached through a Unix socket, run by an unprivileged user when
/// the tests run as root. Where none is installed, tests that ask for it are skipped and say so.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    /// <summary>The role that most tests use.</summary>
    public const string Dispatcher = "dispatcher";

    /// <summary>A role with the same rights that is asked for its <see cref="Password"/>.</summary>
    public const string Asked = "asked";

    public const string Password = "correct-horse-7";

    /// <summary>The schema that it may use.</summary>
    public const string SharedSchema = "worktree_pool";

    private static readonly string[] AsUser = Environment.UserName == "root" ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] : [];

    private readonly string? _programs = FindPrograms();
    private string _directory = "";
    private int _names;
    private int _port = 5432;

    private string Data => Path.Combine(_directory, "data");

    /// <summary>The Unix socket, for a proxy to go to.</summary>
    public string Socket => Path.Combine(_directory, $".s.PGSQL.{_port}");

    /// <summary>How its owner connects.</summary>
    public string ConnectionString => ConnectAs("postgres");

    /// <summary>Where the socket lies.</summary>
    public string Directory => _directory;

    /// <summary>How a role connects; <see cref="Dispatcher"/> is the one with the rights that docs/fleet.md lists, and no more.</summary>
    public string ConnectAs(string role) => $"Host={_directory};Port={_port};Username={role};Database=postgres";

    public async ValueTask InitializeAsync()
    {
        if (_programs is null)
        {
            return;
        }

        await MakeDirectoryAsync();
        await RunAsync([.. AsUser, Path.Combine(_programs, "initdb"), "--no-sync", "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        string rules = Path.Combine(Data, "pg_hba.conf");
        await File.WriteAllTextAsync(rules, $"local all {Asked} scram-sha-256\n{await File.ReadAllTextAsync(rules)}");
        await StartAsync();
        await using (var store = new PostgresSlotStateStore(new PostgresOptions { ConnectionString = ConnectionString, Pool = "first" }, new HostIdentity("host", "", null), _directory, TimeProvider.System))
        {
            await store.ReadAsync(CancellationToken.None);
        }

        await ExecuteAsync($"CREATE ROLE {Dispatcher} LOGIN; {Grants()}; CREATE ROLE {Asked} LOGIN PASSWORD '{Password}' IN ROLE {Dispatcher}");
    }

    /// <summary>A standby with what is committed now and nothing later: one that lags behind. Started; not yet promoted.</summary>
    public async Task<PostgresServer> MakeLaggingStandbyAsync()
    {
        var standby = new PostgresServer();
        await standby.MakeDirectoryAsync();
        await RunAsync([.. AsUser, Path.Combine(_programs!, "pg_basebackup"), "-h", _directory, "-p", $"{_port}", "-U", "postgres", "-D", standby.Data, "-X", "stream", "-c", "fast", "--no-sync"]);
        await RunAsync([.. AsUser, "touch", Path.Combine(standby.Data, "standby.signal")]);
        await standby.StartAsync();
        return standby;
    }

    public Task PromoteAsync() => ControlAsync("promote");

    public async Task ExecuteAsync(string sql)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(ConnectionString);
        await using NpgsqlCommand command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <summary>The statements of docs/fleet.md, so that what it says is what is tested.</summary>
    public static string Grants()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "docs", "fleet.md")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return Regex.Match(File.ReadAllText(Path.Combine(directory!, "docs", "fleet.md")), "```sql\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
    }

    private async Task MakeDirectoryAsync()
    {
        _directory = System.IO.Directory.CreateTempSubdirectory("wp-pg-").FullName;
        if (AsUser.Length > 0)
        {
            await RunAsync(["chown", "postgres:postgres", _directory]);
        }
    }

    /// <summary>A name that no other test uses, for a pool or a schema; skips the test where there is no PostgreSQL.</summary>
    public string NewName()
    {
        Assert.SkipWhen(_programs is null, "PostgreSQL is not installed: looked in PATH and /usr/lib/postgresql. Install Debian's package postgresql to run this test.");
        return string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _names)}");
    }

    public Task StartAsync() => StartAsync("-c listen_addresses=");

    /// <summary>Starts it anew so that it is reached by TCP as well, with TLS.</summary>
    /// <param name="certificate">Its certificate and its key, as PEM.</param>
    /// <param name="key">The key.</param>
    /// <returns>How a role connects, without a word on TLS.</returns>
    public async Task<string> ListenAsync(string certificate, string key)
    {
        string certificateFile = Path.Combine(_directory, "server.crt"), keyFile = Path.Combine(_directory, "server.key");
        await File.WriteAllTextAsync(certificateFile, certificate);
        await File.WriteAllTextAsync(keyFile, key);
        await RunAsync(["chmod", "600", keyFile]);
        if (AsUser.Length > 0)
        {
            await RunAsync(["chown", "postgres:postgres", certificateFile, keyFile]);
        }

        await CrashAsync();
        using (var free = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0))
        {
            free.Start();
            _port = ((System.Net.IPEndPoint)free.LocalEndpoint).Port;
        }

        await StartAsync($"-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file={certificateFile} -c ssl_key_file={keyFile}");
        return $"Host=127.0.0.1;Port={_port};Username={Dispatcher};Database=postgres";
    }

    private Task StartAsync(string listen) => ControlAsync("start", "-o", $"-k {_directory} -p {_port} {listen} -c max_connections=200");

    /// <summary>Stops it as a power cut would; what was committed stays.</summary>
    public Task CrashAsync() => ControlAsync("stop", "-m", "immediate");

    public async ValueTask DisposeAsync()
    {
        if (_programs is not null)
        {
            if (File.Exists(Path.Combine(Data, "postmaster.pid")))
            {
                await CrashAsync();
            }

            new DirectoryInfo(_directory).Delete(recursive: true);
        }
    }

    private Task ControlAsync(string verb, params string[] arguments) =>
        RunAsync([.. AsUser, Path.Combine(_programs!, "pg_ctl"), verb, "-D", Data, "-w", "-s", "-l", Path.Combine(_directory, "log"), .. arguments]);

    private static async Task RunAsync(string[] command)
    {
        using var process = System.Diagnostics.Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = false, WorkingDirectory = "/" })!;
        process.StandardOutput.Close();
        await process.WaitForExitAsync(CancellationToken.None);
        process.ExitCode.Should().Be(0, string.Join(' ', command));
    }

    private static string? FindPrograms()
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
        {
            return null;
        }

        IEnumerable<string> places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Where(place => place.Length > 0);
        if (System.IO.Directory.Exists("/usr/lib/postgresql"))
        {
            places = places.Concat(System.IO.Directory.EnumerateDirectories("/usr/lib/postgresql").OrderByDescending(v => v, StringComparer.Ordinal).Select(v => Path.Combine(v, "bin")));
        }

        return places.FirstOrDefault(place => new[] { "initdb", "pg_ctl", "pg_basebackup" }.All(program => File.Exists(Path.Combine(place, program))));
    }
}
