namespace WorktreePool.Postgres.Tests;

/// <summary>The connection is cut in the middle of each operation: before the database has the statement, or after it has carried it out and before the answer arrives.</summary>
public sealed class CutTests(PostgresServer server)
{
    private static readonly SlotRecord Slot = new() { Slot = "slot-0", Host = "host-a", Path = "/p", State = SlotState.Free };

    private static readonly Guid Move = Guid.NewGuid();

    /// <summary>Each operation: it is done on a store with slot-0 at version 1, and says how it ended.</summary>
    private static readonly Dictionary<string, Func<PostgresSlotStateStore, Task<object?>>> Operations = new()
    {
        ["read"] = async store => (await store.ReadAsync(Token)).Slots.Count,
        ["create"] = async store => (await store.CompareAndSetAsync(0, Slot with { Slot = "slot-1" }, Token)).Stored?.Version,
        ["create again"] = async store => (await store.CompareAndSetAsync(0, Slot, Token)).Outcome,
        ["change"] = async store => (await store.CompareAndSetAsync(1, Slot with { Epoch = 5 }, Token)).Stored?.Version,
        ["lease"] = async store => (await store.CompareAndSetAsync(1, Leased("slot-0", "MC-1"), Token)).Stored?.Lease?.Key,
        ["change what has changed"] = async store => (await store.CompareAndSetAsync(7, Slot, Token)).Outcome,
        ["remove"] = async store => await store.RemoveAsync("slot-0", 1, Token),
        ["remove what has changed"] = async store => await store.RemoveAsync("slot-0", 7, Token),
        ["pool record"] = async store => await store.CompareAndSetPoolAsync(0, new PoolRecord { Paused = new PauseRecord("why", default) }, Token),
        ["lock"] = async store => await store.TryLockSlotAsync("slot-0", Token) is { } held && await DisposeAsync(held),
        ["history"] = async store =>
        {
            await store.AppendHistoryAsync(new HistoryEntry { At = default, Event = HistoryEvent.Claimed, Epoch = 9 }, Token);
            return (await store.ReadHistoryAsync(new HistoryQuery(), Token)).Count;
        },
        ["read history"] = async store => (await store.ReadHistoryAsync(new HistoryQuery(), Token)).Count,
        ["check in"] = async store =>
        {
            await store.CheckInAsync(Token);
            return (await store.ReadHostsAsync(Token)).Single().IsReachable;
        },
        ["stranded"] = async store => (await store.ReadStrandedAsync(Token)).Count,
        ["hosts"] = async store => (await store.ReadHostsAsync(Token)).Single().Counts,
        ["prune history"] = async store =>
        {
            await store.AppendHistoryAsync(new HistoryEntry { At = default, Event = HistoryEvent.Claimed, Epoch = 9 }, Token);
            return await store.PruneHistoryAsync(DateTimeOffset.UtcNow + TimeSpan.FromHours(1), 1, Token);
        },
        ["wait"] = async store =>
        {
            await store.WaitForChangeAsync("", Token);
            return "changed";
        },
        ["expect"] = async store =>
        {
            await store.RemoveAsync("slot-0", 1, Token);
            await store.ExpectAsync(Move, Token);
            return (await store.ReadMoveAsync(Token))?.Stage;
        },
        ["leave"] = async store => (await store.LeaveAsync(Move, Token)).Slots.Count,
        ["arrive"] = async store =>
        {
            await store.ArriveAsync(Move, new StatePart(new PoolRecord { Version = 3 }, [Slot with { Slot = "slot-5", Version = 4 }], []), Token);
            return (await store.ReadAsync(Token)).Slots.Single().Slot;
        },
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => [.. Operations.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_cut_changes_nothing_but_the_time_it_takes(string operation)
    {
        (object? Result, string State)? whole = null;
        foreach (Cut? cut in new Cut?[] { null, Cut.BeforeRequest, Cut.AfterRequest })
        {
            using var pool = new FleetPool(server);
            using var proxy = new CutableProxy(server.Socket);
            await using PostgresSlotStateStore store = pool.Open(connectionString: proxy.ConnectionString);
            await store.CompareAndSetAsync(0, Slot, Token);
            await (await store.TryLockSlotAsync("slot-0", Token))!.DisposeAsync();
            if (cut is { } when)
            {
                proxy.CutOnce(when);
            }

            object? result = await Operations[operation](store);
            proxy.WasCut.Should().Be(cut is not null);
            await using PostgresSlotStateStore other = pool.Open();
            string state = operation is "leave" or "expect" ? "left" : string.Join(", ", (await other.ReadAsync(Token)).Slots.Select(slot => $"{slot.Slot} {slot.Version} {slot.State} {slot.Epoch} {slot.Lease?.Key}"));
            whole ??= (result, state);
            (result, state).Should().Be(whole.Value, "cut: {0}", cut);
        }
    }

    private static SlotRecord Leased(string slot, string key) => Slot with
    {
        Slot = slot,
        State = SlotState.Leased,
        Lease = new LeaseRecord { Key = key, TokenHash = "00", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)) },
    };

    private static async Task<bool> DisposeAsync(IAsyncDisposable held)
    {
        await held.DisposeAsync();
        return true;
    }
}
