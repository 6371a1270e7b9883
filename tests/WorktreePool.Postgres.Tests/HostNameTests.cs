namespace WorktreePool.Postgres.Tests;

/// <summary>
/// Two machines under one name would use the same records for two disks: each would take the other's holders for dead. The second is refused
/// until the first has been silent for long enough.
/// </summary>
public sealed class HostNameTests(PostgresServer server) : IDisposable
{
    private readonly FleetPool _pool = new(server);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_machine_of_a_name_is_refused_and_changes_nothing()
    {
        await using PostgresSlotStateStore first = _pool.Open(machine: "one", boot: "1");
        await using PostgresSlotStateStore second = _pool.Open(machine: "two", boot: "2", directory: "-2");
        SlotRecord held = (await first.CompareAndSetAsync(0, Leased(), Token)).Stored!;
        Func<Task>[] uses = [() => second.CheckInAsync(Token).AsTask(), () => second.CompareAndSetAsync(held.Version, held with { State = SlotState.Preparing }, Token).AsTask()];
        foreach (Func<Task> use in uses)
        {
            (await use.Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("host-a").And.Contain("--host-name").And.Contain("Nothing was changed");
        }

        (await first.ReadAsync(Token)).Slots.Should().ContainSingle().Which.Should().BeEquivalentTo(held);
        await first.CheckInAsync(Token);

        // It has taken the first one's place.
        await SilenceAsync();
        await second.CheckInAsync(Token);
        (await second.CompareAndSetAsync(held.Version, held with { State = SlotState.Cleaning, Lease = null }, Token)).Applied.Should().BeTrue();
        await first.Awaiting(store => store.CheckInAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>();
    }

    [Fact]
    public async Task A_machine_that_starts_anew_goes_on_at_once()
    {
        await using PostgresSlotStateStore before = _pool.Open(machine: "one", boot: "1");
        await before.CheckInAsync(Token);
        await using PostgresSlotStateStore after = _pool.Open(machine: "one", boot: "2");
        await after.CheckInAsync(Token);
        await after.CheckInAsync(Token);
        await using PostgresSlotStateStore unknown = _pool.Open(machine: null, boot: "3");
        await unknown.CheckInAsync(Token);
    }

    [Fact]
    public async Task A_copy_of_a_machine_is_noticed_when_both_are_there()
    {
        await using PostgresSlotStateStore original = _pool.Open(machine: "one", boot: "1");
        await using PostgresSlotStateStore copy = _pool.Open(machine: "one", boot: "2");
        await original.CheckInAsync(Token);
        await copy.CheckInAsync(Token);
        await original.Awaiting(store => store.CheckInAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>("no machine comes back to an earlier start");
        await copy.CheckInAsync(Token);

        // A container that moved from one machine to another and back.
        await SilenceAsync();
        await original.CheckInAsync(Token);
    }

    [Fact]
    public async Task Check_ins_that_were_deleted_count_from_now_on()
    {
        await using PostgresSlotStateStore gone = _pool.Open("host-b");
        await using PostgresSlotStateStore other = _pool.Open();
        await gone.CompareAndSetAsync(0, Leased() with { Host = "host-b" }, Token);
        await server.ExecuteAsync($"DELETE FROM {_pool.Schema}.host WHERE pool = '{_pool.Pool}'");
        (await other.ReadStrandedAsync(Token)).Should().BeEmpty();
        await SilenceAsync();
        (await other.ReadStrandedAsync(Token)).Should().ContainSingle().Which.Lease!.Key.Should().Be("MC-1");
    }

    [Theory]
    [InlineData(nameof(Cut.BeforeRequest))]
    [InlineData(nameof(Cut.AfterRequest))]
    public async Task A_removal_whose_answer_is_lost_is_known_to_have_been_done(string cut)
    {
        using var proxy = new CutableProxy(server.Socket);
        await using PostgresSlotStateStore gone = _pool.Open("host-b");
        await using PostgresSlotStateStore other = _pool.Open(connectionString: proxy.ConnectionString);
        await gone.CompareAndSetAsync(0, Leased() with { Host = "host-b" }, Token);
        (await other.RemoveHostAsync("host-b", Token)).Should().BeFalse("it is not silent");
        await SilenceAsync();
        proxy.CutOnce(Enum.Parse<Cut>(cut));
        (await other.RemoveHostAsync("host-b", Token)).Should().BeTrue();
        (await other.ReadHostsAsync(Token)).Should().BeEmpty();
        (await gone.ReadAsync(Token)).Slots.Should().BeEmpty();
        (await other.RemoveHostAsync("host-b", Token)).Should().BeFalse("there is none");
    }

    public void Dispose() => _pool.Dispose();

    private static SlotRecord Leased() => new()
    {
        Slot = "slot-0",
        Host = "host-a",
        Path = "/p",
        State = SlotState.Leased,
        Lease = new LeaseRecord { Key = "MC-1", TokenHash = "00", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)) },
    };

    private Task SilenceAsync() => server.ExecuteAsync($"UPDATE {_pool.Schema}.host SET checked_in_at = now() - interval '1 hour' WHERE pool = '{_pool.Pool}'");
}
