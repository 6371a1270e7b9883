using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class SlotStateStoreConformance
{
    /// <summary>The states in which a record has a lease.</summary>
    public static TheoryData<SlotState> HeldStates => [SlotState.Preparing, SlotState.Leased, SlotState.Cleaning];

    /// <summary>All states.</summary>
    public static TheoryData<SlotState> States => [.. Enum.GetValues<SlotState>()];

    /// <summary>A pool that was never written is empty, not an error.</summary>
    [Fact]
    public async Task A_new_pool_is_empty()
    {
        PoolState state = await _store.ReadAsync(Token);
        Assert.Empty(state.Slots);
        Assert.Equal(new PoolRecord(), state.Pool);
        Assert.Equal(state.Stamp, (await _other.ReadAsync(Token)).Stamp);
    }

    /// <summary>The store counts versions from 1 by one, whatever version the caller's record has, and another process sees the result.</summary>
    [Fact]
    public async Task Versions_are_the_stores_own()
    {
        StoreResult created = await _store.CompareAndSetAsync(0, SampleRecords.Free(0) with { Version = 99 }, Token);
        Assert.Equal(1, created.Stored!.Version);
        StoreResult changed = await _other.CompareAndSetAsync(1, created.Stored with { Epoch = 5, Version = 0 }, Token);
        Assert.Equal(2, changed.Stored!.Version);
        await AssertStoredAsync(SampleRecords.Free(0) with { Version = 2, Epoch = 5 });
    }

    /// <summary>A version other than the stored one is a conflict, and nothing changes.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(-1)]
    public async Task Another_version_is_a_conflict(long version)
    {
        SlotRecord stored = await SetAsync(await SetAsync(SampleRecords.Free(0)));
        string stamp = (await _store.ReadAsync(Token)).Stamp;
        Assert.Equal(new StoreResult(StoreOutcome.Conflict, null), await _other.CompareAndSetAsync(version, stored with { Epoch = 9 }, Token));
        await AssertStoredAsync(stored);
        Assert.Equal(stamp, (await _store.ReadAsync(Token)).Stamp);
    }

    /// <summary>A record that does not exist has version 0 only.</summary>
    [Fact]
    public async Task An_absent_record_cannot_be_changed()
    {
        Assert.Equal(StoreOutcome.Conflict, (await _store.CompareAndSetAsync(1, SampleRecords.Free(0), Token)).Outcome);
        Assert.Empty((await _other.ReadAsync(Token)).Slots);
    }

    /// <summary>One key has one lease, in whichever state its slot is.</summary>
    [Theory]
    [MemberData(nameof(HeldStates))]
    public async Task A_key_is_held_once(SlotState state)
    {
        SlotRecord first = await SetAsync(SampleRecords.Held(0, "MC-1", state));
        SlotRecord second = await SetAsync(SampleRecords.Free(1));
        SlotRecord rival = SampleRecords.Held(1, "MC-1", SlotState.Preparing);

        StoreResult refused = await _other.CompareAndSetAsync(second.Version, rival, Token);
        Assert.Equal(StoreOutcome.KeyHeld, refused.Outcome);
        Assert.Null(refused.Stored);
        SampleRecords.AssertSame(first, refused.Holder!);
        await AssertStoredAsync(second);

        // A stale caller must read again before it hears of keys.
        Assert.Equal(StoreOutcome.Conflict, (await _other.CompareAndSetAsync(second.Version + 1, rival, Token)).Outcome);

        // The holder's own record may change, and a key that was given up may be taken.
        first = await SetAsync(first with { Epoch = 2 });
        await SetAsync(first with { State = SlotState.Free, Lease = null });
        await SetAsync(rival with { Version = second.Version });
    }

    /// <summary>A new record cannot bring a held key with it, and a removed one does not keep its key.</summary>
    [Fact]
    public async Task Keys_are_checked_when_records_come_and_go()
    {
        SlotRecord first = await SetAsync(SampleRecords.Held(0, "MC-1"));
        StoreResult refused = await _store.CompareAndSetAsync(0, SampleRecords.Held(1, "MC-1"), Token);
        Assert.Equal(StoreOutcome.KeyHeld, refused.Outcome);
        Assert.Equal(first.Slot, refused.Holder!.Slot);
        Assert.True(await _store.RemoveAsync(first.Slot, first.Version, Token));
        await SetAsync(SampleRecords.Held(1, "MC-1"), _other);
    }

    /// <summary>Keys are compared as they are.</summary>
    [Fact]
    public async Task Keys_differ_by_case_and_space()
    {
        await SetAsync(SampleRecords.Held(0, "MC-1"));
        await SetAsync(SampleRecords.Held(1, "mc-1"));
        await SetAsync(SampleRecords.Held(2, "MC-1 "));
        await SetAsync(SampleRecords.Held(3, "MC-\u00e9"));
        await SetAsync(SampleRecords.Held(4, "MC-e\u0301"));
        Assert.Equal(5, (await _other.ReadAsync(Token)).Slots.Count);
    }

    /// <summary>A record goes with its version only, and can be made again.</summary>
    [Fact]
    public async Task A_record_can_be_removed()
    {
        SlotRecord stored = await SetAsync(await SetAsync(SampleRecords.Free(0)));
        Assert.False(await _store.RemoveAsync("slot-0", 1, Token));
        Assert.False(await _store.RemoveAsync("slot-0", 0, Token));
        Assert.False(await _store.RemoveAsync("slot-1", 0, Token));
        await AssertStoredAsync(stored);

        Assert.True(await _other.RemoveAsync("slot-0", 2, Token));
        Assert.Empty((await _store.ReadAsync(Token)).Slots);
        Assert.False(await _store.RemoveAsync("slot-0", 2, Token));
        Assert.Equal(StoreOutcome.Conflict, (await _store.CompareAndSetAsync(2, stored, Token)).Outcome);
        await SetAsync(SampleRecords.Free(0));
    }

    /// <summary>Slots come by number, not by letter.</summary>
    [Fact]
    public async Task Slots_are_in_order()
    {
        foreach (int number in new[] { 10, 2, 0, 11, 9, 100 })
        {
            await SetAsync(SampleRecords.Free(number));
        }

        Assert.Equal(["slot-0", "slot-2", "slot-9", "slot-10", "slot-11", "slot-100"], (await _other.ReadAsync(Token)).Slots.Select(slot => slot.Slot));
    }

    /// <summary>The pool's own record follows the same rule, and does not touch the slots.</summary>
    [Fact]
    public async Task The_pools_record_is_compared_and_set()
    {
        SlotRecord slot = await SetAsync(SampleRecords.Free(0));
        var first = new PoolRecord
        {
            Version = 42,
            Paused = new PauseRecord("because \"ü\"\n", slot.UpdatedAt),
            Base = new BaseRecord("refs/remotes/origin/main", new string('a', 40), slot.UpdatedAt.AddTicks(1)) { FetchedAt = slot.UpdatedAt.AddTicks(2) },
        };
        Assert.False(await _store.CompareAndSetPoolAsync(1, first, Token));
        Assert.True(await _store.CompareAndSetPoolAsync(0, first, Token));
        Assert.Equal(first with { Version = 1 }, (await _other.ReadAsync(Token)).Pool);
        Assert.False(await _other.CompareAndSetPoolAsync(0, new PoolRecord(), Token));
        Assert.True(await _other.CompareAndSetPoolAsync(1, first with { Paused = null }, Token));
        Assert.Equal(first with { Version = 2, Paused = null }, (await _store.ReadAsync(Token)).Pool);
        await AssertStoredAsync(slot);
    }

    /// <summary>Who is inside the pool's gates is kept with its record, whatever the gates are called.</summary>
    [Fact]
    public async Task The_pools_gates_are_kept()
    {
        ProcessIdentity holder = SampleRecords.Process.Process!;
        var gates = new Dictionary<string, GateRecord>
        {
            ["dispatch:" + Host] = new("1", holder, SampleRecords.Free(0).UpdatedAt),
            ["Dispatch"] = new("2", holder, SampleRecords.Free(0).UpdatedAt.AddTicks(1)),
            ["dispatch"] = new("3", holder with { Pid = 1 }, default),
        };
        Assert.True(await _store.CompareAndSetPoolAsync(0, new PoolRecord { Gates = gates }, Token));
        gates["late"] = gates["dispatch"];
        IReadOnlyDictionary<string, GateRecord> stored = (await _other.ReadAsync(Token)).Pool.Gates!;
        gates.Remove("late");
        Assert.Equal(gates.OrderBy(gate => gate.Key, StringComparer.Ordinal), stored.OrderBy(gate => gate.Key, StringComparer.Ordinal));
    }

    /// <summary>Of many processes that would enter a gate at once, one does.</summary>
    [Fact]
    public async Task A_race_for_the_pools_record_has_one_winner()
    {
        for (int round = 0; round < 5; round++)
        {
            long version = (await _store.ReadAsync(Token)).Pool.Version;
            bool[] won = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(
                async () =>
                {
                    var gates = new Dictionary<string, GateRecord> { ["dispatch"] = new($"{i}", SampleRecords.Process.Process!, default) };
                    return await (i % 2 == 0 ? _store : _other).CompareAndSetPoolAsync(version, new PoolRecord { Gates = gates }, Token);
                },
                Token)));
            Assert.Single(won, winner => winner);
            Assert.Equal($"{Array.IndexOf(won, true)}", (await _other.ReadAsync(Token)).Pool.Gates!["dispatch"].Id);
        }
    }

    /// <summary>Nothing of a record is lost or bent.</summary>
    [Fact]
    public async Task Every_field_is_kept()
    {
        SlotRecord full = SampleRecords.Full;

        // This test is only as good as its sample: a new field must be in it.
        Assert.All(typeof(SlotRecord).GetProperties().Where(field => field.Name != nameof(SlotRecord.Version)), field => Assert.False(IsDefault(field.GetValue(full)), field.Name));
        Assert.All(typeof(LeaseRecord).GetProperties(), field => Assert.False(IsDefault(field.GetValue(full.Lease)), field.Name));

        SlotRecord stored = await SetAsync(full);
        SampleRecords.AssertSame(full with { Version = 1 }, stored);
        await AssertStoredAsync(full with { Version = 1 });

        SlotRecord lasting = stored with { Lease = stored.Lease! with { Owner = LeaseOwner.ForDuration(TimeSpan.FromTicks(1)), Releasing = ReleaseMode.Rescue, ExpiresAt = null } };
        await AssertStoredAsync(await SetAsync(lasting));
    }

    /// <summary>Every state is kept, and so is the absence of all that may be absent.</summary>
    [Theory]
    [MemberData(nameof(States))]
    public async Task Every_state_is_kept(SlotState state) =>
        await AssertStoredAsync(await SetAsync(new SlotRecord { Slot = "slot-0", Host = Host, Path = "", State = state }));

    /// <summary>What the caller does with its objects afterwards does not reach the store.</summary>
    [Fact]
    public async Task A_stored_record_is_the_stores_own()
    {
        var notes = new Dictionary<string, string> { ["a"] = "1" };
        List<string> findings = ["one"];
        SlotRecord mine = SampleRecords.Held(0, "MC-1");
        mine = mine with { Lease = mine.Lease! with { Metadata = notes }, LastHeal = new HealRecord(mine.UpdatedAt, findings) };
        await SetAsync(mine);
        notes["a"] = "2";
        findings.Add("two");
        SlotRecord stored = await ReadAsync("slot-0");
        Assert.Equal("1", stored.Lease!.Metadata["a"]);
        Assert.Equal(["one"], stored.LastHeal!.Findings);
    }

    /// <summary>A slot's name can become a file's name or part of a command, so odd ones are refused before anything happens.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../slot-0")]
    [InlineData("slot-0/..")]
    [InlineData("slot-0.json")]
    [InlineData("Slot-0")]
    [InlineData("slot 0")]
    [InlineData("slot-0\n")]
    [InlineData("slot-٣")]
    public async Task Odd_slot_names_are_refused(string slot)
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await _store.CompareAndSetAsync(0, SampleRecords.Free(0, slot), Token));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await _store.RemoveAsync(slot, 1, Token));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await _store.TryLockSlotAsync(slot, Token));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await _store.WaitForSlotLockAsync(slot, TimeProvider.System, Token));
        Assert.Empty((await _other.ReadAsync(Token)).Slots);
    }

    /// <summary>A caller that has given up changes nothing.</summary>
    [Fact]
    public async Task Cancelled_calls_change_nothing()
    {
        SlotRecord stored = await SetAsync(SampleRecords.Free(0));
        PoolState before = await _other.ReadAsync(Token);
        var cancelled = new CancellationToken(canceled: true);
        await CancelledAsync(async () => await _store.ReadAsync(cancelled));
        await CancelledAsync(async () => await _store.CompareAndSetAsync(1, stored, cancelled));
        await CancelledAsync(async () => await _store.CompareAndSetAsync(1, stored, SampleRecords.Entry(), cancelled));
        await CancelledAsync(async () => await _store.RemoveAsync("slot-0", 1, cancelled));
        await CancelledAsync(async () => await _store.CompareAndSetPoolAsync(0, new PoolRecord(), cancelled));
        await CancelledAsync(async () => await _store.WaitForChangeAsync(before.Stamp, cancelled));
        await CancelledAsync(async () => await _store.TryLockSlotAsync("slot-0", cancelled));
        await CancelledAsync(async () => await _store.WaitForSlotLockAsync("slot-0", TimeProvider.System, cancelled));
        await CancelledAsync(async () => await _store.AppendHistoryAsync(SampleRecords.Entry(), cancelled));
        await CancelledAsync(async () => await _store.ReadHistoryAsync(new HistoryQuery(), cancelled));
        Assert.Equal(before.Stamp, (await _other.ReadAsync(Token)).Stamp);
        Assert.Empty(await _other.ReadHistoryAsync(new HistoryQuery(), Token));
    }

    private static Task<OperationCanceledException> CancelledAsync(Func<Task> call) => Assert.ThrowsAnyAsync<OperationCanceledException>(call);

    private static bool IsDefault(object? value) => value switch
    {
        null or "" or 0 or 0L or false => true,
        DateTimeOffset time => time == default,
        Enum word => Convert.ToInt32(word, System.Globalization.CultureInfo.InvariantCulture) == 0,
        _ => false,
    };
}
