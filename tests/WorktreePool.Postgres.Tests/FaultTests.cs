using System.Diagnostics;

namespace WorktreePool.Postgres.Tests;

/// <summary>What a database does to its users on a bad day. Nothing here restarts the user.</summary>
public sealed class FaultTests(PostgresServer server) : IDisposable
{
    private readonly FleetPool _pool = new(server, alone: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_cut_while_records_change_lose_no_change_and_apply_none_twice()
    {
        using var proxy = new CutableProxy(server.Socket);
        await using PostgresSlotStateStore store = _pool.Open(connectionString: proxy.ConnectAs("postgres"));
        SlotRecord record = (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        using var enough = new CancellationTokenSource();
        Task cutting = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    await Task.Delay(Random.Shared.Next(20, 120), Token);
                    proxy.CutAll();
                }
            },
            Token);
        for (int i = 0; i < 300; i++)
        {
            // Nobody else writes, so a conflict would mean that a change was applied and then said not to be.
            StoreResult result = await store.CompareAndSetAsync(record.Version, record with { Epoch = record.Epoch + 1 }, Token);
            result.Outcome.Should().Be(StoreOutcome.Applied);
            record = result.Stored!;
            await store.AppendHistoryAsync(new HistoryEntry { At = record.UpdatedAt, Event = HistoryEvent.Claimed, Slot = "slot-0", Epoch = record.Epoch }, Token);
        }

        await enough.CancelAsync();
        await cutting;
        (await store.ReadAsync(Token)).Slots.Should().ContainSingle().Which.Should().Be(record);
        record.Version.Should().Be(301);
        (await store.ReadHistoryAsync(new HistoryQuery(Limit: 1000), Token)).Select(entry => entry.Epoch).Should().Equal(Enumerable.Range(1, 300).Reverse().Select(n => (long)n));
    }

    [Fact]
    public async Task A_partition_is_an_error_in_bounded_time_and_over_without_a_restart()
    {
        using var proxy = new CutableProxy(server.Socket);
        await using PostgresSlotStateStore store = _pool.Open(connectionString: proxy.ConnectAs("postgres"), configure: options => options.OperationTimeout = TimeSpan.FromSeconds(2));
        SlotRecord record = (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
        held.Should().NotBeNull();
        proxy.Silence();
        foreach (Func<Task> call in new Func<Task>[]
        {
            () => store.ReadAsync(Token).AsTask(),
            () => store.CompareAndSetAsync(1, record with { Epoch = 7 }, Token).AsTask(),
            () => store.TryLockSlotAsync("slot-1", Token).AsTask(),
            () => store.WaitForChangeAsync("", Token).AsTask(),
        })
        {
            long start = Stopwatch.GetTimestamp();
            (await call.Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("OperationTimeout").And.NotContain("Username");
            Stopwatch.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(8));
        }

        // The holder lives, and so does its lock: on this host nobody else gets it, database or not.
        await using PostgresSlotStateStore sibling = _pool.Open();
        (await sibling.TryLockSlotAsync("slot-0", Token)).Should().BeNull();

        proxy.Restore();
        PoolState state = await store.ReadAsync(Token);
        StoreResult result = await store.CompareAndSetAsync(state.Slots[0].Version, record with { Epoch = 8 }, Token);
        result.Applied.Should().BeTrue();
        (await store.TryLockSlotAsync("slot-1", Token)).Should().NotBeNull();
        await held!.DisposeAsync();
        (await sibling.TryLockSlotAsync("slot-0", Token)).Should().NotBeNull();
    }

    [Fact]
    public async Task A_cancelled_caller_is_let_go_at_once_from_a_dead_network()
    {
        using var proxy = new CutableProxy(server.Socket);
        await using PostgresSlotStateStore store = _pool.Open(connectionString: proxy.ConnectAs("postgres"));
        await store.ReadAsync(Token);
        proxy.Silence();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task read = store.ReadAsync(cancel.Token).AsTask();
        long start = Stopwatch.GetTimestamp();
        await cancel.CancelAsync();
        await read.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
        Stopwatch.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Sessions_ended_by_the_server_take_no_lock_from_a_living_process()
    {
        await using PostgresSlotStateStore store = _pool.Open();
        await using PostgresSlotStateStore sameHost = _pool.Open();
        await using PostgresSlotStateStore otherDirectory = _pool.Open(directory: "-2");
        await using IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
        (await otherDirectory.TryLockSlotAsync("slot-0", Token)).Should().BeNull("the advisory lock needs no common directory");
        await _pool.EndSessionsAsync();
        (await sameHost.TryLockSlotAsync("slot-0", Token)).Should().BeNull("the process lives");

        // The next use of the locks takes the old ones again.
        await using IAsyncDisposable? next = await store.TryLockSlotAsync("slot-1", Token);
        next.Should().NotBeNull();
        (await otherDirectory.TryLockSlotAsync("slot-0", Token)).Should().BeNull("it was taken again");
        await held!.DisposeAsync();
        (await otherDirectory.TryLockSlotAsync("slot-0", Token)).Should().NotBeNull();
    }

    [Fact]
    public async Task Waiters_hear_of_changes_after_their_session_was_ended()
    {
        await using PostgresSlotStateStore waiter = _pool.Open(configure: options => options.PollInterval = TimeSpan.FromMinutes(5));
        await using PostgresSlotStateStore writer = _pool.Open();
        SlotRecord record = (await writer.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        for (int round = 0; round < 3; round++)
        {
            Task wait = waiter.WaitForChangeAsync((await waiter.ReadAsync(Token)).Stamp, Token).AsTask();
            await _pool.EndSessionsAsync();
            record = (await writer.CompareAndSetAsync(record.Version, record with { Epoch = round }, Token)).Stored!;
            await wait.WaitAsync(TimeSpan.FromSeconds(30), Token);
        }
    }

    [Fact]
    public async Task An_exhausted_pool_of_connections_is_waited_for()
    {
        await using PostgresSlotStateStore store = _pool.Open(connectionString: _pool.ConnectionString + ";Maximum Pool Size=1");
        StoreResult[] results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => store.CompareAndSetAsync(0, Record($"slot-{i}"), Token).AsTask()));
        results.Should().OnlyContain(result => result.Applied);
    }

    [Fact]
    public async Task A_pooler_that_shares_sessions_is_refused_before_a_lock_excludes_nobody()
    {
        using var pool = new FleetPool(server);
        await using SharedSessions pooler = await SharedSessions.StartAsync(server.Socket);
        await using PostgresSlotStateStore store = pool.Open(connectionString: pooler.ConnectionString);
        (await store.ReadAsync(Token)).Slots.Should().BeEmpty("what needs no session goes through it");
        (await store.Awaiting(s => s.TryLockSlotAsync("slot-0", Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("pool_mode session").And.Contain("Nothing was changed");
        await using PostgresSlotStateStore direct = pool.Open();
        await using IAsyncDisposable? held = await direct.TryLockSlotAsync("slot-0", Token);
        held.Should().NotBeNull("none was left behind");

        // A waiter hears nothing through it, and looks for itself.
        string stamp = (await store.ReadAsync(Token)).Stamp;
        Task wait = store.WaitForChangeAsync(stamp, Token).AsTask();
        await direct.CompareAndSetAsync(0, Record("slot-0"), Token);
        await wait.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_told_without_the_secret()
    {
        await using PostgresSlotStateStore store = _pool.Open(
            connectionString: "Host=/nowhere;Username=u;Password=hunter2;Database=d", configure: options => options.OperationTimeout = TimeSpan.FromMilliseconds(600));
        Exception e = (await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which;
        e.ToString().Should().NotContain("hunter2");
    }

    [Fact]
    public async Task Old_history_is_dropped()
    {
        await using PostgresSlotStateStore store = _pool.Open();
        await store.AppendHistoryAsync(new HistoryEntry { At = default, Event = HistoryEvent.Paused, Epoch = 1 }, Token);

        // More than go at once.
        await server.ExecuteAsync(
            $"INSERT INTO {_pool.Schema}.history (pool, host, change, entry) SELECT pool, host, gen_random_uuid(), entry FROM {_pool.Schema}.history, generate_series(1, {PostgresSlotStateStore.AtOnce})");
        await server.ExecuteAsync($"UPDATE {_pool.Schema}.history SET recorded_at = now() - interval '25 hours'");
        await store.AppendHistoryAsync(new HistoryEntry { At = default, Event = HistoryEvent.Paused, Epoch = 2 }, Token);
        (await store.PruneHistoryAsync(DateTimeOffset.UtcNow - TimeSpan.FromDays(1), 1, Token)).Should().BeTrue();
        (await store.ReadHistoryAsync(new HistoryQuery(), Token)).Should().ContainSingle().Which.Epoch.Should().Be(2);
    }

    public void Dispose() => _pool.Dispose();

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "host-a", Path = "/p" };
}
