using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

[assembly: AssemblyFixture(typeof(WorktreePool.Postgres.Tests.PostgresServer))]

namespace WorktreePool.Postgres.Tests;

/// <summary>
/// A real PostgreSQL of the test run's own: made in a temporary directory, reached through a Unix socket, run by an unprivileged user when
/// the tests run as root. Where none is installed, tests that ask for it are skipped and say so.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private const int Port = 5432;
    private static readonly string[] AsUser = Environment.UserName == "root" ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] : [];

    private readonly string? _programs = FindPrograms();
    private string _directory = "";
    private int _schemas;

    private string Data => Path.Combine(_directory, "data");

    /// <summary>The Unix socket, for a proxy to go to.</summary>
    public string Socket => Path.Combine(_directory, $".s.PGSQL.{Port}");

    /// <summary>How to connect.</summary>
    public string ConnectionString => $"Host={_directory};Port={Port};Username=postgres;Database=postgres";

    public async ValueTask InitializeAsync()
    {
        if (_programs is null)
        {
            return;
        }

        _directory = Directory.CreateTempSubdirectory("wp-pg-").FullName;
        if (AsUser.Length > 0)
        {
            await RunAsync(["chown", "postgres:postgres", _directory]);
        }

        await RunAsync([.. AsUser, Path.Combine(_programs, "initdb"), "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        await StartAsync();
    }

    /// <summary>A schema's name that no other test uses; skips the test where there is no PostgreSQL.</summary>
    public string NewSchema()
    {
        Assert.SkipWhen(_programs is null, "PostgreSQL is not installed: looked in PATH and /usr/lib/postgresql. Install Debian's package postgresql to run this test.");
        return string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _schemas)}");
    }

    public Task StartAsync() => ControlAsync("start", "-o", $"-k {_directory} -p {Port} -c listen_addresses= -c max_connections=200");

    /// <summary>Stops it as a power cut would; what was committed stays.</summary>
    public Task CrashAsync() => ControlAsync("stop", "-m", "immediate");

    public async ValueTask DisposeAsync()
    {
        if (_programs is not null)
        {
            await CrashAsync();
            new DirectoryInfo(_directory).Delete(recursive: true);
        }
    }

    private Task ControlAsync(string verb, params string[] arguments) =>
        RunAsync([.. AsUser, Path.Combine(_programs!, "pg_ctl"), verb, "-D", Data, "-w", "-s", "-l", Path.Combine(_directory, "log"), .. arguments]);

    private static async Task RunAsync(string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = false, WorkingDirectory = "/" })!;
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
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            places = places.Concat(Directory.EnumerateDirectories("/usr/lib/postgresql").OrderByDescending(v => v, StringComparer.Ordinal).Select(v => Path.Combine(v, "bin")));
        }

        return places.FirstOrDefault(place => File.Exists(Path.Combine(place, "initdb")) && File.Exists(Path.Combine(place, "pg_ctl")));
    }
}
