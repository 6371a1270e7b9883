using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.Process.Tests;
using WorktreePool.TestHelper;

namespace WorktreePool.Postgres.Tests;

/// <summary>
/// Three hosts with eight slots and four processes each over one database: processes are killed, connections cut and hosts partitioned at random. A minute of it:
/// WORKTREE_POOL_STORM_SECONDS=60 dotnet test tests/WorktreePool.Postgres.Tests --filter FullyQualifiedName~FleetStorm
/// </summary>
public sealed class FleetStormTests(PostgresServer server, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Workers = 4;

    private static readonly string[] Hosts = ["host-a", "host-b", "host-c"];

    private readonly Sandbox _sandbox = new();
    private readonly string _pool = server.NewName();
    private readonly Dictionary<string, CutableProxy> _networks = Hosts.ToDictionary(host => host, _ => new CutableProxy(server.Socket));
    private readonly ConcurrentBag<string> _said = [];
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _kills, _cuts, _partitions, _beginning = Hosts.Length * Workers;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TimeSpan Duration => TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("WORKTREE_POOL_STORM_SECONDS") ?? "10", CultureInfo.InvariantCulture));

    private string Marks => Path.Combine(_sandbox.Root, "marks");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (CutableProxy network in _networks.Values)
        {
            network.Dispose();
        }

        await _sandbox.DisposeAsync();
    }

    [Fact]
    public async Task No_kill_and_no_partition_gives_a_key_or_a_slot_to_two()
    {
        Directory.CreateDirectory(Marks);
        foreach (string host in Hosts)
        {
            Directory.CreateDirectory(Path.Combine(_sandbox.Root, host));
            Sandbox.Git(_sandbox.Root, "clone", "-q", "origin.git", Path.Combine(host, "repo"));
            await using ServiceProvider first = Open(host);
            await first.GetRequiredKeyedService<IPoolOperator>("p").InitializeAsync(Token);
        }

        var watch = new Stopwatch();
        await Task.WhenAll(
        [
            .. Hosts.SelectMany((host, number) => Enumerable.Range(0, Workers).Select(worker => Task.Run(() => KeepKillingAsync(host, (number * Workers) + worker, watch), Token))),
            .. Hosts.Select((host, number) => Task.Run(() => KeepCuttingAsync(_networks[host], new Random(number), watch), Token)),
        ]);

        int claims = _said.Count(line => line.StartsWith("claimed", StringComparison.Ordinal));
        output.WriteLine($"{watch.Elapsed.TotalSeconds:0} s: {claims} claims, {_kills} kills, {_cuts} cuts, {_partitions} partitions, {_said.Count - claims} calls failed");
        foreach (IGrouping<string, string> failure in _said.Where(line => line.StartsWith("failed", StringComparison.Ordinal)).GroupBy(line => line[..Math.Min(line.Length, 260)]).OrderByDescending(group => group.Count()).Take(8))
        {
            output.WriteLine($"{failure.Count()} x {failure.Key}");
        }

        string violations = Path.Combine(Marks, "violations");
        (File.Exists(violations) ? await File.ReadAllTextAsync(violations, Token) : "").Should().BeEmpty();
        FleetSnapshot fleet = await RecoverAsync();
        fleet.Hosts.Should().OnlyContain(host => host.IsReachable && host.Counts == new PoolCounts(FleetWorker.Slots, FleetWorker.Slots, 0, 0, 0, 0, 0), "one keeper pass on each host makes every slot ready");
        foreach (string host in Hosts)
        {
            for (int slot = 0; slot < FleetWorker.Slots; slot++)
            {
                Sandbox.Git(Path.Combine(_sandbox.Root, host, "pool", "slots", $"slot-{slot}"), "status", "--porcelain", "--ignored").Should().BeEmpty();
            }

            Sandbox.Git(Path.Combine(_sandbox.Root, host, "repo"), "branch", "--list", "cr/*").Should().BeEmpty();
        }

        claims.Should().BeGreaterThan(Hosts.Length);
        _kills.Should().BePositive();
    }

    /// <summary>One place on a host: a process, and after each kill the next one.</summary>
    private async Task KeepKillingAsync(string host, int seed, Stopwatch watch)
    {
        var random = new Random(seed);
        for (int life = 0; watch.Elapsed < Duration; life++)
        {
            string said = Path.Combine(Marks, $"said-{seed}-{life}");
            using System.Diagnostics.Process worker = Start(host, (life * 100) + seed, said);

            // It lives from its first word on: on a busy machine a process takes long to begin.
            using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (!worker.HasExited && new FileInfo(said) is not { Exists: true, Length: > 0 })
            {
                await look.WaitForNextTickAsync(Token);
            }

            if (life == 0)
            {
                // Nothing is killed or cut, and no time counts, before all of them work.
                if (Interlocked.Decrement(ref _beginning) == 0)
                {
                    watch.Start();
                    _all.SetResult();
                }

                await _all.Task.WaitAsync(Token);
            }

            TimeSpan left = Duration - watch.Elapsed, lives = TimeSpan.FromMilliseconds(random.Next(100, life == 0 ? 3000 : 6000));
            left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
            using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
            end.CancelAfter(lives < left ? lives : left);
            await worker.WaitForExitAsync(end.Token).ContinueWith(_ => { }, Token, TaskContinuationOptions.None, TaskScheduler.Default);
            if (lives < left)
            {
                worker.Kill();
                Interlocked.Increment(ref _kills);
            }
            else
            {
                worker.StandardInput.Close();
            }

            await worker.WaitForExitAsync(Token);
            foreach (string line in await File.ReadAllLinesAsync(said, Token))
            {
                _said.Add(line);
            }

            (worker.ExitCode is 0 or 137).Should().BeTrue($"{host} ended with {worker.ExitCode}");
        }
    }

    /// <summary>The network of a host: cut now and then, and sometimes silent, at most for longer than the host may be silent.</summary>
    private async Task KeepCuttingAsync(CutableProxy network, Random random, Stopwatch watch)
    {
        await _all.Task.WaitAsync(Token);
        while (watch.Elapsed < Duration)
        {
            await Task.Delay(random.Next(500, 4000), Token);
            if (random.Next(3) > 0)
            {
                network.CutAll();
                Interlocked.Increment(ref _cuts);
                continue;
            }

            network.Silence();
            Interlocked.Increment(ref _partitions);
            TimeSpan longest = FleetWorker.HostTimeout * 1.3, left = Duration - watch.Elapsed;
            await Task.Delay((longest < left ? longest : left > TimeSpan.Zero ? left : TimeSpan.Zero) * random.NextDouble(), Token);
            network.Restore();
        }
    }

    /// <summary>What processes that were killed at the end left behind is cleaned by each host's next keeper pass.</summary>
    private async Task<FleetSnapshot> RecoverAsync()
    {
        FleetSnapshot? fleet = null;
        foreach (string host in Hosts)
        {
            await using ServiceProvider services = Open(host);
            MaintenanceReport pass = await services.GetRequiredKeyedService<IWorktreePool>("p").MaintainAsync(Token);
            pass.Quarantined.Should().BeEmpty();
            fleet = await services.GetRequiredKeyedService<IFleet>("p").GetSnapshotAsync(Token);
        }

        return fleet!;
    }

    private ServiceProvider Open(string host) => FleetWorker.Open(
        _sandbox.Root, host, builder => builder.UsePostgres(server.ConnectAs(PostgresServer.Dispatcher), options => (options.Pool, options.HostTimeout) = (_pool, FleetWorker.HostTimeout)));

    private System.Diagnostics.Process Start(string host, int seed, string said)
    {
        // Its words go to a file: twelve readers of pipes would keep the threads busy that carry the networks.
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), "fleet-worker", _sandbox.Root, host, $"{seed}"];
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" > \"$0\"", said, .. command]) { RedirectStandardInput = true };
        start.Environment["WORKTREE_POOL_TEST_POSTGRES"] = _networks[host].ConnectionString;
        start.Environment["WORKTREE_POOL_TEST_POSTGRES_POOL"] = _pool;
        return System.Diagnostics.Process.Start(start)!;
    }
}
