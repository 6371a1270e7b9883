using Npgsql;

namespace WorktreePool.Postgres.Tests;

/// <summary>A claim reads what is its own host's, however large the fleet. What that takes is measured by the benchmarks' <c>fleet</c>.</summary>
public sealed class SizeTests(PostgresServer server) : IDisposable
{
    private readonly FleetPool _pool = new(server, alone: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Among_ten_thousand_slots_all_that_a_claim_asks_is_found_by_index()
    {
        await using PostgresSlotStateStore store = _pool.Open();
        for (int i = 0; i < 8; i++)
        {
            await store.CompareAndSetAsync(0, new SlotRecord { Slot = $"slot-{i}", Host = "host-a", Path = "/p", State = SlotState.Free }, Token);
        }

        await FillAsync(hosts: 1249);
        foreach ((string what, string sql) in new[]
        {
            ("own slots", "SELECT record FROM {0}.slot WHERE pool = '{pool}' AND host = 'host-a'"),
            ("a key's holder", "SELECT record FROM {0}.slot WHERE pool = '{pool}' AND key = 'MC-1'"),
            ("compare and set", "UPDATE {0}.slot SET version = 2 WHERE pool = '{pool}' AND host = 'host-a' AND slot = 'slot-1' AND version = 1 AND NOT EXISTS (SELECT 1 FROM {0}.move WHERE pool = '{pool}' AND host = 'host-a' AND stage <> 'arrived')"),
            ("the leases of a silent host", "SELECT record FROM {0}.slot s WHERE s.pool = '{pool}' AND s.host = 'other-7' AND s.key IS NOT NULL"),
        })
        {
            string plan = await ExplainAsync(sql.Replace("{0}", _pool.Schema, StringComparison.Ordinal).Replace("{pool}", _pool.Pool, StringComparison.Ordinal));
            TestContext.Current.TestOutputHelper!.WriteLine($"{what}:\n{plan}");
            plan.Should().Contain("Index").And.NotContain("Seq Scan");
        }
    }

    public void Dispose() => _pool.Dispose();

    /// <summary>So many other hosts with eight slots each, half of them leased.</summary>
    private Task<List<string>> FillAsync(int hosts) => QueryAsync(
        $$"""
        INSERT INTO {{_pool.Schema}}.slot (pool, host, slot, version, change, state, key, commit, record)
        SELECT '{{_pool.Pool}}', 'other-' || h, 'slot-' || s, 1, gen_random_uuid(), CASE WHEN s % 2 = 0 THEN 'free' ELSE 'leased' END,
            CASE WHEN s % 2 = 0 THEN NULL ELSE 'other-' || h || '-' || s END, 'c',
            jsonb_build_object('host', 'other-' || h, 'slot', 'slot-' || s, 'state', CASE WHEN s % 2 = 0 THEN 'free' ELSE 'leased' END,
                'lease', CASE WHEN s % 2 = 1 THEN jsonb_build_object('key', 'other-' || h || '-' || s) END)
        FROM generate_series(1, {{hosts}}) h, generate_series(0, 7) s
        ON CONFLICT DO NOTHING
        """);

    private async Task<string> ExplainAsync(string sql) => string.Join('\n', await QueryAsync("EXPLAIN " + sql));

    private async Task<List<string>> QueryAsync(string sql)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(server.ConnectionString);
        await using (NpgsqlCommand analyze = source.CreateCommand($"ANALYZE {_pool.Schema}.slot"))
        {
            await analyze.ExecuteNonQueryAsync(Token);
        }

        await using NpgsqlCommand command = source.CreateCommand(sql);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Token);
        List<string> lines = [];
        while (await reader.ReadAsync(Token))
        {
            lines.Add(reader.GetString(0));
        }

        return lines;
    }
}
