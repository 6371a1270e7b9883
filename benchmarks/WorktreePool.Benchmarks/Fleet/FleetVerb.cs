using System.Diagnostics;
using System.Globalization;
using Npgsql;
using WorktreePool.Benchmarks.Stores;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Postgres;

namespace WorktreePool.Benchmarks.Fleet;

/// <summary>Claims and releases over the file store and over PostgreSQL in one run, and what the size of the fleet costs.</summary>
internal static class FleetVerb
{
    private const int Slots = 8, FewSlots = 100, ManySlots = 10_000, WarmUp = 30;

    private const string Schema = "worktree_pool_benchmark";

    public static async Task<int> RunAsync(string connection, int pairs)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(connection);
        await ExecuteAsync(source, $"DROP SCHEMA IF EXISTS {Schema} CASCADE");
        void Postgres(WorktreePoolBuilder builder) => builder.UsePostgres(connection, options => options.Schema = Schema);

        (double files, double filesRate) = await MeasureAsync("file store", builder => builder.UseFileState(), pairs);
        await MeasureAsync("PostgreSQL, an empty fleet", Postgres, WarmUp);
        await FillAsync(source, FewSlots - Slots);
        (double few, double fewRate) = await MeasureAsync($"PostgreSQL, {FewSlots} slots in the table", Postgres, pairs);
        await FillAsync(source, ManySlots - Slots);
        (double many, double manyRate) = await MeasureAsync($"PostgreSQL, {ManySlots} slots in the table", Postgres, pairs);
        Say($"claim, PostgreSQL against the file store: {few / files:0.00} x the time, {fewRate / filesRate:0.00} x the pairs per second");
        Say($"claim, {ManySlots} slots against {FewSlots}: {many / few:0.00} x the time, {manyRate / fewRate:0.00} x the pairs per second");
        await ExecuteAsync(source, $"DROP SCHEMA {Schema} CASCADE");
        return many / few <= 2 ? 0 : 1;
    }

    /// <summary>The median time of a claim, and pairs per second of four claimers.</summary>
    private static async Task<(double Claim, double Rate)> MeasureAsync(string title, Action<WorktreePoolBuilder> useStore, int pairs)
    {
        string root = Scratch.Create();
        try
        {
            await using PoolUnderTest pool = await ReadyPool.CreateAsync(root, Slots, useStore);
            await RunAsync(pool.Pool, "warm", WarmUp);
            List<double> claims = await RunAsync(pool.Pool, "one", pairs);
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(claimer => Task.Run(() => RunAsync(pool.Pool, $"four-{claimer}", pairs / 4))));
            double rate = pairs / 4 * 4 / Stopwatch.GetElapsedTime(start).TotalSeconds;
            claims.Sort();
            Say($"{title}: claim p50 {claims[claims.Count / 2]:0.00} ms, p99 {claims[claims.Count * 99 / 100]:0.00} ms; {rate:0} pairs/s with four claimers");
            return (claims[claims.Count / 2], rate);
        }
        finally
        {
            Scratch.Remove(root);
        }
    }

    private static async Task<List<double>> RunAsync(IWorktreePool pool, string key, int pairs)
    {
        var request = new ClaimRequest { Key = key };
        List<double> claims = [];
        for (int pair = 0; pair < pairs; pair++)
        {
            long start = Stopwatch.GetTimestamp();
            SlotLease lease = await pool.ClaimAsync(request);
            claims.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await lease.ReleaseAsync();
        }

        return claims;
    }

    /// <summary>Other hosts with eight slots each, half of them leased, until the table has so many rows beside this host's.</summary>
    private static async Task FillAsync(NpgsqlDataSource source, int rows)
    {
        await ExecuteAsync(
            source,
            $$"""
            INSERT INTO {{Schema}}.slot (pool, host, slot, version, change, state, key, commit, record)
            SELECT '{{PoolUnderTest.Name}}', 'other-' || n / 8, 'slot-' || n % 8, 1, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'free' ELSE 'leased' END,
                CASE WHEN n % 2 = 0 THEN NULL ELSE 'key-' || n END, 'c',
                jsonb_build_object('host', 'other-' || n / 8, 'slot', 'slot-' || n % 8, 'state', CASE WHEN n % 2 = 0 THEN 'free' ELSE 'leased' END,
                    'lease', CASE WHEN n % 2 = 1 THEN jsonb_build_object('key', 'key-' || n) END)
            FROM generate_series(0, {{rows - 1}}) n ON CONFLICT DO NOTHING
            """);
        await ExecuteAsync(source, $"ANALYZE {Schema}.slot");
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using NpgsqlCommand command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
