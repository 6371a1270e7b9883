namespace WorktreePool.Postgres.Tests;

/// <summary>What a server's administrator sets, revokes or changes by hand: it is lived with, or told so that it can be put right, and then nothing needs a restart.</summary>
public sealed class ServerSettingTests(PostgresServer server) : IDisposable
{
    private readonly FleetPool _pool = new(server);
    private readonly FleetPool _alone = new(server, alone: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_limit_for_idle_sessions_takes_no_lock_and_fails_no_operation()
    {
        string role = await MakeRoleAsync("SET idle_session_timeout = '100ms'");
        await using PostgresSlotStateStore store = _pool.Open(connectionString: server.ConnectAs(role));
        await using PostgresSlotStateStore other = _pool.Open(directory: "-2");
        SlotRecord record = (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        await using IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
        held.Should().NotBeNull();

        // The pooled connection is ended by the server; the one with the lock is not.
        await UntilAsync(role, sessions: 1);
        (await store.CompareAndSetAsync(record.Version, record with { Epoch = 1 }, Token)).Applied.Should().BeTrue();
        (await other.TryLockSlotAsync("slot-0", Token)).Should().BeNull();
    }

    [Fact]
    public async Task Too_few_connections_are_waited_for_and_the_error_says_which_limit()
    {
        string role = await MakeRoleAsync("CONNECTION LIMIT 1");
        await using PostgresSlotStateStore one = _pool.Open(connectionString: server.ConnectAs(role));
        await using PostgresSlotStateStore two = _pool.Open(connectionString: server.ConnectAs(role), configure: options => options.OperationTimeout = TimeSpan.FromMilliseconds(600));
        await one.ReadAsync(Token);
        (await two.Awaiting(store => store.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("too many connections").And.Contain("limit").And.Contain("OperationTimeout");
        await one.DisposeAsync();
        await UntilAsync(role, sessions: 0);
        (await two.ReadAsync(Token)).Slots.Should().BeEmpty();
    }

    [Fact]
    public async Task A_right_that_is_revoked_is_an_error_for_as_long_as_it_is()
    {
        await using PostgresSlotStateStore owner = _alone.Open();
        SlotRecord record = (await owner.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        await server.ExecuteAsync(PostgresServer.Grants().Replace(PostgresServer.SharedSchema, _alone.Schema, StringComparison.Ordinal));
        await using PostgresSlotStateStore store = _alone.Open(connectionString: server.ConnectAs(PostgresServer.Dispatcher));
        await store.CheckInAsync(Token);
        await server.ExecuteAsync($"REVOKE UPDATE ON {_alone.Schema}.slot FROM dispatcher");
        (await store.Awaiting(s => s.CompareAndSetAsync(record.Version, record with { Epoch = 1 }, Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("slot-0").And.Contain("Nothing was changed").And.Contain("docs/fleet.md");
        await server.ExecuteAsync($"GRANT UPDATE ON {_alone.Schema}.slot TO dispatcher");
        (await store.CompareAndSetAsync(record.Version, record with { Epoch = 1 }, Token)).Applied.Should().BeTrue();
    }

    [Fact]
    public async Task A_statement_that_is_cancelled_for_its_time_is_told_with_the_setting()
    {
        string role = await MakeRoleAsync("SET statement_timeout = '50ms'");
        await using PostgresSlotStateStore store = _pool.Open(connectionString: server.ConnectAs(role), configure: options => options.OperationTimeout = TimeSpan.FromMilliseconds(600));
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        await using var source = Npgsql.NpgsqlDataSource.Create(server.ConnectionString);
        await using (Npgsql.NpgsqlConnection busy = await source.OpenConnectionAsync(Token))
        await using (Npgsql.NpgsqlTransaction transaction = await busy.BeginTransactionAsync(Token))
        {
            await using var hold = new Npgsql.NpgsqlCommand($"SELECT * FROM {_pool.Schema}.slot WHERE pool = '{_pool.Pool}' FOR UPDATE", busy);
            await hold.ExecuteNonQueryAsync(Token);
            (await store.Awaiting(s => s.CompareAndSetAsync(1, Record("slot-0"), Token).AsTask()).Should().ThrowAsync<StateStoreException>())
                .Which.Message.Should().Contain("statement_timeout").And.Contain("slot-0");
        }

        (await store.CompareAndSetAsync(1, Record("slot-0"), Token)).Applied.Should().BeTrue();
    }

    [Fact]
    public async Task Without_notifications_a_waiter_finds_the_change_by_looking()
    {
        await using PostgresSlotStateStore waiter = _alone.Open(configure: options => options.PollInterval = TimeSpan.FromMilliseconds(20));
        await using PostgresSlotStateStore writer = _alone.Open();
        SlotRecord record = (await writer.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        await server.ExecuteAsync($"DROP TRIGGER tell ON {_alone.Schema}.slot");
        Task wait = waiter.WaitForChangeAsync((await waiter.ReadAsync(Token)).Stamp, Token).AsTask();
        await writer.CompareAndSetAsync(record.Version, record with { Epoch = 1 }, Token);
        await wait.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task A_row_that_is_changed_by_hand_gives_no_key_away_and_is_named_when_it_cannot_be_read()
    {
        await using PostgresSlotStateStore store = _alone.Open();
        var lease = new LeaseRecord { Key = "MC-1", TokenHash = "00", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)) };
        await store.CompareAndSetAsync(0, Record("slot-0") with { State = SlotState.Leased, Lease = lease }, Token);
        foreach (string change in new[] { "key = NULL", "state = 'free'", "slot = 'slot-1'", "host = 'host-b'", "record = record - 'lease'" })
        {
            (await server.Awaiting(s => s.ExecuteAsync($"UPDATE {_alone.Schema}.slot SET {change}")).Should().ThrowAsync<Npgsql.PostgresException>()).Which.ConstraintName.Should().Be("slot_agrees", change);
        }

        await server.ExecuteAsync($$"""UPDATE {{_alone.Schema}}.slot SET record = record || '{"epoch":"many"}'""");
        (await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("slot-0 on host-a").And.Contain("repair the row");
        await server.ExecuteAsync($$"""UPDATE {{_alone.Schema}}.slot SET record = record || '{"epoch":7}'""");
        (await store.ReadAsync(Token)).Slots.Should().ContainSingle().Which.Epoch.Should().Be(7);
    }

    public void Dispose()
    {
        _pool.Dispose();
        _alone.Dispose();
    }

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "host-a", Path = "/p" };

    private async Task<string> MakeRoleAsync(string setting)
    {
        string role = "of_" + server.NewName();
        await server.ExecuteAsync($"CREATE ROLE {role} LOGIN IN ROLE {PostgresServer.Dispatcher}; ALTER ROLE {role} {setting}");
        return role;
    }

    /// <summary>Waits until a role has no more than so many sessions.</summary>
    private Task UntilAsync(string role, int sessions) => server.ExecuteAsync(
        $"""
        DO $$ BEGIN
            WHILE (SELECT count(*) > {sessions} FROM pg_stat_activity WHERE usename = '{role}') LOOP
                PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot();
            END LOOP;
        END $$
        """);
}
