using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class SlotStateStoreConformance
{
    /// <summary>A store in which nobody is stuck has nothing in its way, whoever works on a slot.</summary>
    [Fact]
    public async Task A_sound_store_has_no_obstacle()
    {
        Assert.Null(await _store.FindObstacleAsync(Token));
        await using IAsyncDisposable? working = await _other.TryLockSlotAsync("slot-0", Token);
        Assert.Null(await _store.FindObstacleAsync(Token));
        Assert.Empty(await _store.FindStoppedWorkersAsync(Token));
    }

    /// <summary>One holder, in one process or another; the next one gets the lock when it is given back.</summary>
    [Fact]
    public async Task A_slots_lock_has_one_holder()
    {
        IAsyncDisposable? held = await _store.TryLockSlotAsync("slot-0", Token);
        Assert.NotNull(held);
        Assert.Null(await _store.TryLockSlotAsync("slot-0", Token));
        Assert.Null(await _other.TryLockSlotAsync("slot-0", Token));

        await held.DisposeAsync();
        IAsyncDisposable? next = await _other.TryLockSlotAsync("slot-0", Token);
        Assert.NotNull(next);

        // Given back twice, it is not taken from the next holder.
        await held.DisposeAsync();
        Assert.Null(await _store.TryLockSlotAsync("slot-0", Token));
        await next.DisposeAsync();
    }

    /// <summary>Whoever waits for a lock has it at once when it is free, and otherwise when it is given back.</summary>
    [Fact]
    public async Task A_lock_that_is_waited_for_comes_when_it_is_given_back()
    {
        IAsyncDisposable held = await _store.WaitForSlotLockAsync("slot-0", TimeProvider.System, Token);
        Task<IAsyncDisposable> near = _store.WaitForSlotLockAsync("slot-0", TimeProvider.System, Token).AsTask();
        Task<IAsyncDisposable> far = _other.WaitForSlotLockAsync("slot-0", TimeProvider.System, Token).AsTask();
        Assert.Null(await _other.TryLockSlotAsync("slot-0", Token));
        Assert.False(near.IsCompleted || far.IsCompleted);

        await held.DisposeAsync();
        Task<IAsyncDisposable> first = await Task.WhenAny(near, far);
        Task<IAsyncDisposable> second = first == near ? far : near;
        Assert.Null(await _store.TryLockSlotAsync("slot-0", Token));
        Assert.False(second.IsCompleted, "a lock has one holder");

        await (await first).DisposeAsync();
        await (await second).DisposeAsync();
        await using IAsyncDisposable? again = await _other.TryLockSlotAsync("slot-0", Token);
        Assert.NotNull(again);
    }

    /// <summary>Whoever gives up waiting holds nothing, and those behind get the lock.</summary>
    [Fact]
    public async Task A_wait_for_a_lock_that_is_given_up_holds_nothing()
    {
        IAsyncDisposable held = await _other.WaitForSlotLockAsync("slot-0", TimeProvider.System, Token);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<IAsyncDisposable> given = _store.WaitForSlotLockAsync("slot-0", TimeProvider.System, patience.Token).AsTask();
        Task<IAsyncDisposable> behind = _store.WaitForSlotLockAsync("slot-0", TimeProvider.System, Token).AsTask();
        await patience.CancelAsync();
        await CancelledAsync(() => given);

        await held.DisposeAsync();
        await (await behind).DisposeAsync();

        // Nobody wants it: one that was given up as it came is given back.
        held = await _other.WaitForSlotLockAsync("slot-0", TimeProvider.System, Token);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<IAsyncDisposable> alone = _store.WaitForSlotLockAsync("slot-0", TimeProvider.System, late.Token).AsTask();
        await late.CancelAsync();
        await CancelledAsync(() => alone);
        await held.DisposeAsync();
        await (await _other.WaitForSlotLockAsync("slot-0", TimeProvider.System, Token)).DisposeAsync();
    }

    /// <summary>Many who wait for one lock again and again have it one at a time, and all of them get it.</summary>
    [Fact]
    public async Task A_lock_that_many_wait_for_has_one_holder()
    {
        int holders = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            async () =>
            {
                for (int turn = 0; turn < 20; turn++)
                {
                    await using IAsyncDisposable held = await (i % 2 == 0 ? _store : _other).WaitForSlotLockAsync("slot-0", TimeProvider.System, Token);
                    Assert.Equal(1, Interlocked.Increment(ref holders));
                    await Task.Yield();
                    Interlocked.Decrement(ref holders);
                }
            },
            Token)));
    }

    /// <summary>Slots do not wait for each other, and a record can change while its slot is worked on.</summary>
    [Fact]
    public async Task A_slots_lock_stops_nothing_else()
    {
        await using IAsyncDisposable? held = await _store.TryLockSlotAsync("slot-1", Token);
        Assert.NotNull(held);
        await using IAsyncDisposable? sibling = await _other.TryLockSlotAsync("slot-10", Token);
        Assert.NotNull(sibling);
        SlotRecord record = await SetAsync(await SetAsync(SampleRecords.Free(1)), _other);
        Assert.True(await _other.RemoveAsync(record.Slot, record.Version, Token));
        Assert.Null(await _other.TryLockSlotAsync("slot-1", Token));
    }

    /// <summary>Of many who try at once, one gets it.</summary>
    [Fact]
    public async Task A_race_for_a_lock_has_one_winner()
    {
        for (int round = 0; round < 20; round++)
        {
            IAsyncDisposable?[] locks = await Task.WhenAll(Enumerable.Range(0, 16).Select(i =>
                Task.Run(async () => await (i % 2 == 0 ? _store : _other).TryLockSlotAsync("slot-0", Token), Token)));
            await Assert.Single(locks, held => held is not null)!.DisposeAsync();
        }
    }

    /// <summary>Of many who change one version, one wins, and no change is lost.</summary>
    [Fact]
    public async Task A_race_for_a_version_has_one_winner()
    {
        await SetAsync(SampleRecords.Free(0));
        int wins = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            async () =>
            {
                ISlotStateStore store = i % 2 == 0 ? _store : _other;
                for (int turn = 0; turn < 25; turn++)
                {
                    SlotRecord record = (await store.ReadAsync(Token)).Slots[0];
                    StoreResult result = await store.CompareAndSetAsync(record.Version, record with { Epoch = record.Epoch + 1 }, Token);
                    if (result.Applied)
                    {
                        Interlocked.Increment(ref wins);
                    }
                }
            },
            Token)));
        Assert.True(wins >= 25);
        SlotRecord last = await ReadAsync("slot-0");
        Assert.Equal(wins, last.Epoch);
        Assert.Equal(wins + 1, last.Version);
    }

    /// <summary>Of many who claim one key on different slots, one gets it.</summary>
    [Fact]
    public async Task A_race_for_a_key_has_one_winner()
    {
        for (int round = 0; round < 5; round++)
        {
            string key = $"MC-{round}";
            StoreResult[] results = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(
                async () => await (i % 2 == 0 ? _store : _other).CompareAndSetAsync(0, SampleRecords.Held((round * 100) + i, key), Token), Token)));
            SlotRecord winner = Assert.Single(results, result => result.Applied).Stored!;
            Assert.All(results.Where(result => !result.Applied), result => Assert.Equal(StoreOutcome.KeyHeld, result.Outcome));
            Assert.Equal(winner.Slot, Assert.Single((await _other.ReadAsync(Token)).Slots, record => record.Lease?.Key == key).Slot);
        }
    }

    /// <summary>A read shows one moment: a key that is moved from slot to slot meanwhile is never seen in two of them.</summary>
    [Fact]
    public async Task A_read_shows_one_moment()
    {
        const int Slots = 12;
        for (int number = 0; number < Slots; number++)
        {
            await SetAsync(SampleRecords.Free(number));
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task moving = Task.Run(
            async () =>
            {
                for (int turn = 0; !over.IsCancellationRequested; turn++)
                {
                    // To and fro, because nobody says in which order a store reads.
                    string slot = $"slot-{(turn % 2 == 0 ? 0 : Slots - 1)}";
                    SlotRecord free = await ReadAsync(slot);
                    SlotRecord held = await SetAsync(free with { State = SlotState.Leased, Lease = SampleRecords.Held(0, "MC-1").Lease }, _other);
                    await SetAsync(held with { State = SlotState.Free, Lease = null }, _other);
                }
            },
            Token);
        try
        {
            // More readers than a machine has cores: now and then one is stopped in the middle.
            await Task.WhenAll(Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => Task.Run(
                async () =>
                {
                    for (int read = 0; read < 1000; read++)
                    {
                        Assert.True((await _store.ReadAsync(Token)).Slots.Count(record => record.Lease is not null) <= 1);
                    }
                },
                Token)));
        }
        finally
        {
            await over.CancelAsync();
            await moving;
        }
    }

    /// <summary>Records and history outlive the process that wrote them; its locks do not.</summary>
    [Fact]
    public async Task A_pool_outlives_its_processes()
    {
        SlotRecord stored = await SetAsync(SampleRecords.Full);
        await _store.AppendHistoryAsync(SampleRecords.Entry(), Token);
        await using (await _store.TryLockSlotAsync("slot-0", Token))
        {
        }

        await _store.DisposeAsync();
        await _other.DisposeAsync();
        ISlotStateStore later = Connect();
        SampleRecords.AssertSame(stored, Assert.Single((await later.ReadAsync(Token)).Slots));
        Assert.Single(await later.ReadHistoryAsync(new HistoryQuery(), Token));
        await using IAsyncDisposable? held = await later.TryLockSlotAsync("slot-0", Token);
        Assert.NotNull(held);
    }
}
