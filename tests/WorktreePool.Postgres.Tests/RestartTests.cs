namespace WorktreePool.Postgres.Tests;

/// <summary>The database is killed and started again under its users. It has a server of its own: other tests would see it.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private readonly PostgresServer _server = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_restart_is_waited_out_and_what_was_stored_is_there()
    {
        using var pool = new FleetPool(_server);
        await using PostgresSlotStateStore store = pool.Open(configure: options => options.OperationTimeout = TimeSpan.FromSeconds(60));
        SlotRecord record = (await store.CompareAndSetAsync(0, new SlotRecord { Slot = "slot-0", Host = "host-a", Path = "/p" }, Token)).Stored!;
        await using IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
        string stamp = (await store.ReadAsync(Token)).Stamp;
        Task wait = store.WaitForChangeAsync(stamp, Token).AsTask();

        await _server.CrashAsync();
        Task<StoreResult> change = store.CompareAndSetAsync(record.Version, record with { Epoch = 1 }, Token).AsTask();
        Task<IAsyncDisposable?> locked = store.TryLockSlotAsync("slot-1", Token).AsTask();
        change.IsCompleted.Should().BeFalse();
        await _server.StartAsync();

        (await change).Applied.Should().BeTrue();
        (await locked).Should().NotBeNull();
        await wait.WaitAsync(TimeSpan.FromSeconds(30), Token);
        (await store.ReadAsync(Token)).Slots.Should().ContainSingle().Which.Epoch.Should().Be(1);
        await using PostgresSlotStateStore other = pool.Open(directory: "-2");
        (await other.TryLockSlotAsync("slot-0", Token)).Should().BeNull("its holder lives and took it again");
    }
}
