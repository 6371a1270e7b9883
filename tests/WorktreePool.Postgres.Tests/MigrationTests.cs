using Npgsql;

namespace WorktreePool.Postgres.Tests;

/// <summary>The schema is brought to the library's version: by whoever is first, from any earlier version, and never from a later one.</summary>
public sealed class MigrationTests(PostgresServer server) : IDisposable
{
    private readonly FleetPool _pool = new(server, alone: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_who_come_first_at_once_make_the_schema_once()
    {
        PostgresSlotStateStore[] stores = [.. Enumerable.Range(0, 8).Select(number => _pool.Open($"host-{number}"))];
        PoolState[] states = await Task.WhenAll(stores.Select(store => store.ReadAsync(Token).AsTask()));
        states.Should().OnlyContain(state => state.Slots.Count == 0);
        (await VersionsAsync()).Should().Equal(Enumerable.Range(1, Migrations.Steps.Count));
        foreach (PostgresSlotStateStore store in stores)
        {
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_schema_of_an_earlier_version_is_brought_up_to_date_with_what_is_in_it()
    {
        await MakeAsync(version: 1);
        await server.ExecuteAsync(
            $$"""
            INSERT INTO {{_pool.Schema}}.slot (pool, host, slot, version, change, state, key, record) VALUES ('{{_pool.Pool}}', 'host-a', 'slot-0', 7, gen_random_uuid(), 'free', NULL,
                '{"slot":"slot-0","host":"host-a","path":"/p","state":"free","epoch":3}');
            INSERT INTO {{_pool.Schema}}.host (pool, host, checked_in_at) VALUES ('{{_pool.Pool}}', 'host-a', now());
            """);
        PostgresSlotStateStore[] stores = [_pool.Open(), _pool.Open(), _pool.Open("host-b")];
        await Task.WhenAll(stores.Select(store => store.ReadAsync(Token).AsTask()));
        SlotRecord kept = (await stores[0].ReadAsync(Token)).Slots.Should().ContainSingle().Subject;
        (kept.Version, kept.Epoch).Should().Be((7, 3));
        (await stores[0].CompareAndSetAsync(7, kept with { Epoch = 4 }, Token)).Applied.Should().BeTrue();
        (await VersionsAsync()).Should().Equal(Enumerable.Range(1, Migrations.Steps.Count));
        foreach (PostgresSlotStateStore store in stores)
        {
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_role_that_may_not_bring_it_up_to_date_is_told_who_may()
    {
        await MakeAsync(version: 1);
        await server.ExecuteAsync($"GRANT USAGE ON SCHEMA {_pool.Schema} TO dispatcher; GRANT SELECT ON {_pool.Schema}.migration TO dispatcher");
        await using PostgresSlotStateStore store = _pool.Open(connectionString: server.ConnectAs(PostgresServer.Dispatcher));
        (await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("as the schema's owner").And.Contain("Nothing was changed");
        (await VersionsAsync()).Should().Equal(1);
    }

    [Fact]
    public async Task A_schema_of_a_newer_version_is_refused_and_stays_as_it_is()
    {
        await using (PostgresSlotStateStore store = _pool.Open())
        {
            await store.ReadAsync(Token);
        }

        await server.ExecuteAsync($"INSERT INTO {_pool.Schema}.migration (version) VALUES (99)");
        await using PostgresSlotStateStore older = _pool.Open();
        foreach (Func<Task> use in new Func<Task>[] { () => older.ReadAsync(Token).AsTask(), () => older.CheckInAsync(Token).AsTask(), () => older.CompareAndSetPoolAsync(0, new PoolRecord(), Token).AsTask() })
        {
            (await use.Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("newer version").And.Contain("99").And.Contain("Nothing was changed");
        }

        (await VersionsAsync()).Should().EndWith(99);
    }

    public void Dispose() => _pool.Dispose();

    /// <summary>As a library of that version had made it.</summary>
    private Task MakeAsync(int version) => server.ExecuteAsync(
        $"""
        CREATE SCHEMA {_pool.Schema}; CREATE TABLE {_pool.Schema}.migration (version int NOT NULL PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
        {string.Join("", Migrations.Steps.Take(version)).Replace("{0}", _pool.Schema, StringComparison.Ordinal)};
        INSERT INTO {_pool.Schema}.migration (version) SELECT * FROM generate_series(1, {version})
        """);

    private async Task<List<int>> VersionsAsync()
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(server.ConnectionString);
        await using NpgsqlCommand command = source.CreateCommand($"SELECT version FROM {_pool.Schema}.migration ORDER BY 1");
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Token);
        List<int> versions = [];
        while (await reader.ReadAsync(Token))
        {
            versions.Add(reader.GetInt32(0));
        }

        return versions;
    }
}
