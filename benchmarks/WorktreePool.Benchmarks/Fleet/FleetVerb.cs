using System.Diagnostics;
using System.Globalization;
using Npgsql;
using WorktreePool.Benchmarks.Stores;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Postgres;

namespace WorktreePool.Benchmarks.Fleet;

/// <summary>
/// Claims and releases over the file store and over PostgreSQL in one run, and what the size of the fleet costs: in turns, so that whatever else the machine
/// does meets all of them.
/// </summary>
internal static class FleetVerb
{
    private const int Slots = 8, FewSlots = 100, ManySlots = 10_000, WarmUp = 30, Rounds = 10, Claimers = 4;

    /// <summary>With fewer pairs a ratio says nothing.</summary>
    private const int EnoughPairs = 200;

    private const string Schema = "worktree_pool_benchmark";

    public static async Task<int> RunAsync(string connection, int pairs)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(connection);
        Contestant files = await OpenAsync("file store", builder => builder.UseFileState());
        Contestant few = await OpenFleetAsync(source, connection, FewSlots);
        Contestant many = await OpenFleetAsync(source, connection, ManySlots);
        Contestant[] all = [files, few, many];
        foreach (Contestant one in all)
        {
            await one.ClaimAsync("warm", Math.Min(WarmUp, pairs));
        }

        for (int round = 0; round < Rounds; round++)
        {
            foreach (Contestant one in all)
            {
                await one.RunAsync(Math.Max(1, pairs / Rounds));
            }
        }

        foreach (Contestant one in all)
        {
            Say($"{one.Title}: claim p50 {one.Claim:0.00} ms, p99 {one.SlowClaim:0.00} ms; {one.Rate:0} pairs/s with four claimers");
            await one.DisposeAsync();
        }

        Say($"claim, PostgreSQL against the file store: {few.Claim / files.Claim:0.00} x the time, {few.Rate / files.Rate:0.00} x the pairs per second");
        Say($"claim, {ManySlots} slots against {FewSlots}: {many.Claim / few.Claim:0.00} x the time, {many.Rate / few.Rate:0.00} x the pairs per second");
        foreach (int slots in new[] { FewSlots, ManySlots })
        {
            await ExecuteAsync(source, $"DROP SCHEMA {Schema}_{slots} CASCADE");
        }

        return pairs < EnoughPairs || many.Claim / few.Claim <= 2 ? 0 : 1;
    }

    /// <summary>A pool in a table of its own that has so many slots, those of other hosts among them.</summary>
    private static async Task<Contestant> OpenFleetAsync(NpgsqlDataSource source, string connection, int slots)
    {
        string schema = $"{Schema}_{slots}";
        await ExecuteAsync(source, $"DROP SCHEMA IF EXISTS {schema} CASCADE");
        Contestant opened = await OpenAsync($"PostgreSQL, {slots} slots in the table", builder => builder.UsePostgres(connection, options => options.Schema = schema));
        await ExecuteAsync(
            source,
            $$"""
            INSERT INTO {{schema}}.slot (pool, host, slot, version, change, state, key, commit, record)
            SELECT '{{PoolUnderTest.Name}}', 'other-' || n / 8, 'slot-' || n % 8, 1, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'free' ELSE 'leased' END,
                CASE WHEN n % 2 = 0 THEN NULL ELSE 'key-' || n END, 'c',
                jsonb_build_object('host', 'other-' || n / 8, 'slot', 'slot-' || n % 8, 'state', CASE WHEN n % 2 = 0 THEN 'free' ELSE 'leased' END,
                    'lease', CASE WHEN n % 2 = 1 THEN jsonb_build_object('key', 'key-' || n) END)
            FROM generate_series(0, {{slots - Slots - 1}}) n
            """);
        await ExecuteAsync(source, $"ANALYZE {schema}.slot");
        return opened;
    }

    private static async Task<Contestant> OpenAsync(string title, Action<WorktreePoolBuilder> useStore)
    {
        string root = Scratch.Create();
        return new Contestant(title, root, await ReadyPool.CreateAsync(root, Slots, useStore));
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using NpgsqlCommand command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    /// <summary>One store, and what was measured of it.</summary>
    private sealed class Contestant(string title, string root, PoolUnderTest pool) : IAsyncDisposable
    {
        private readonly List<double> _claims = [];
        private double _pairs, _seconds;

        public string Title => title;

        /// <summary>The median, in milliseconds.</summary>
        public double Claim => _claims.Order().ElementAt(_claims.Count / 2);

        public double SlowClaim => _claims.Order().ElementAt(_claims.Count * 99 / 100);

        /// <summary>Pairs per second of four claimers.</summary>
        public double Rate => _pairs / _seconds;

        /// <summary>So many pairs by one claimer, and as many by four.</summary>
        public async Task RunAsync(int pairs)
        {
            _claims.AddRange(await ClaimAsync("one", pairs));
            int each = Math.Max(1, pairs / Claimers);
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Claimers).Select(claimer => Task.Run(() => ClaimAsync($"four-{claimer}", each))));
            _seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
            _pairs += each * Claimers;
        }

        /// <summary>Claims and releases; how long each claim took.</summary>
        public async Task<List<double>> ClaimAsync(string key, int pairs)
        {
            var request = new ClaimRequest { Key = key };
            List<double> claims = [];
            for (int pair = 0; pair < pairs; pair++)
            {
                long start = Stopwatch.GetTimestamp();
                SlotLease lease = await pool.Pool.ClaimAsync(request);
                claims.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                await lease.ReleaseAsync();
            }

            return claims;
        }

        public async ValueTask DisposeAsync()
        {
            await pool.DisposeAsync();
            Scratch.Remove(root);
        }
    }
}
