using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class SlotStateStoreConformance
{
    /// <summary>Newest first, by the order of writing and not by the clock, from every process.</summary>
    [Fact]
    public async Task History_is_newest_first()
    {
        Assert.Empty(await _store.ReadHistoryAsync(new HistoryQuery(), Token));
        for (int i = 1; i <= 5; i++)
        {
            HistoryEntry entry = SampleRecords.Entry(epoch: i);
            await (i % 2 == 0 ? _store : _other).AppendHistoryAsync(entry with { At = entry.At.AddHours(-i) }, Token);
        }

        Assert.Equal([5L, 4, 3, 2, 1], await EpochsAsync(new HistoryQuery()));
        Assert.Equal([5L, 4], await EpochsAsync(new HistoryQuery(Limit: 2)));
    }

    /// <summary>A query chooses by slot, by key, by both; the limit counts what was chosen.</summary>
    [Fact]
    public async Task History_is_filtered()
    {
        (string? Slot, string? Key)[] entries = [("slot-1", "a"), ("slot-2", "a"), ("slot-1", "b"), (null, null), ("slot-10", "a"), ("slot-1", "a")];
        for (int i = 0; i < entries.Length; i++)
        {
            await _store.AppendHistoryAsync(SampleRecords.Entry(slot: entries[i].Slot, key: entries[i].Key, epoch: i), Token);
        }

        Assert.Equal([5L, 2, 0], await EpochsAsync(new HistoryQuery(Slot: "slot-1")));
        Assert.Equal([5L, 4, 1, 0], await EpochsAsync(new HistoryQuery(Key: "a")));
        Assert.Equal([5L, 0], await EpochsAsync(new HistoryQuery("slot-1", "a")));
        Assert.Equal([0L], (await EpochsAsync(new HistoryQuery("slot-1", "a", 2))).Skip(1));
        Assert.Equal([1L], await EpochsAsync(new HistoryQuery("slot-2", "a", 1)));
        Assert.Empty(await EpochsAsync(new HistoryQuery(Key: "A")));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await _store.ReadHistoryAsync(new HistoryQuery(Limit: 0), Token));
    }

    /// <summary>A query chooses by event and by time too.</summary>
    [Fact]
    public async Task History_is_filtered_by_event_and_time()
    {
        HistoryEvent[] events = [HistoryEvent.Claimed, HistoryEvent.Released, HistoryEvent.Claimed, HistoryEvent.Quarantined];
        for (int i = 0; i < events.Length; i++)
        {
            HistoryEntry entry = SampleRecords.Entry(events[i], key: $"{i % 2}", epoch: i);
            await _store.AppendHistoryAsync(entry with { At = entry.At.AddHours(i) }, Token);
        }

        DateTimeOffset start = SampleRecords.Entry().At;
        Assert.Equal([2L, 0], await EpochsAsync(new HistoryQuery(Event: HistoryEvent.Claimed)));
        Assert.Equal([3L, 2], await EpochsAsync(new HistoryQuery(Since: start.AddHours(2))));
        Assert.Equal([2L], await EpochsAsync(new HistoryQuery("slot-0", "0", 5, HistoryEvent.Claimed, start.AddMinutes(1).ToOffset(TimeSpan.FromHours(5)))));
        Assert.Empty(await EpochsAsync(new HistoryQuery(Since: start.AddHours(4))));
    }

    /// <summary>What comes with a record is told if the record is put in place, and not if it is not.</summary>
    [Fact]
    public async Task History_comes_with_the_record_that_it_tells_of()
    {
        SlotRecord held = SampleRecords.Held(0, "MC-1");
        StoreResult applied = await _store.CompareAndSetAsync(0, held, SampleRecords.Entry(epoch: 1), Token);
        Assert.True(applied.Applied);
        Assert.Null(applied.HistoryFault);
        Assert.Equal(StoreOutcome.Conflict, (await _other.CompareAndSetAsync(0, held, SampleRecords.Entry(epoch: 2), Token)).Outcome);
        Assert.Equal(StoreOutcome.KeyHeld, (await _other.CompareAndSetAsync(0, SampleRecords.Held(1, "MC-1"), SampleRecords.Entry(epoch: 3), Token)).Outcome);
        Assert.True((await _other.CompareAndSetAsync(1, held, SampleRecords.Entry(epoch: 4), Token)).Applied);

        Assert.Equal([4L, 1], await EpochsAsync(new HistoryQuery()));
        Assert.Equal(2, (await _store.ReadAsync(Token)).Slots.Single().Version);
    }

    /// <summary>Nothing of an entry is lost or bent.</summary>
    [Fact]
    public async Task Every_field_of_history_is_kept()
    {
        HistoryEntry[] entries =
        [
            .. Enum.GetValues<HistoryEvent>().Select(what => SampleRecords.Entry(what, epoch: long.MaxValue)),
            new HistoryEntry { At = DateTimeOffset.MinValue, Event = HistoryEvent.Paused },
        ];
        foreach (HistoryEntry entry in entries)
        {
            await _store.AppendHistoryAsync(entry, Token);
        }

        IReadOnlyList<HistoryEntry> read = await _other.ReadHistoryAsync(new HistoryQuery(), Token);
        Assert.Equal(entries.Length, read.Count);
        Assert.All(read.Reverse().Zip(entries), pair => SampleRecords.AssertSame(pair.Second, pair.First));
    }

    /// <summary>Entries of several writers are all there, whole, each writer's in its order.</summary>
    [Fact]
    public async Task Concurrent_history_is_whole()
    {
        const int Writers = 6;
        const int Each = 30;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(
            async () =>
            {
                for (int i = 0; i < Each; i++)
                {
                    await (writer % 2 == 0 ? _store : _other).AppendHistoryAsync(SampleRecords.Entry(key: $"{writer}", epoch: i), Token);
                }
            },
            Token)));
        Assert.Equal(Writers * Each, (await _store.ReadHistoryAsync(new HistoryQuery(Limit: 1000), Token)).Count);
        for (int writer = 0; writer < Writers; writer++)
        {
            Assert.Equal(Enumerable.Range(0, Each).Select(i => (long)i).Reverse(), await EpochsAsync(new HistoryQuery(Key: $"{writer}")));
        }
    }

    /// <summary>Old entries go, all others stay, in their order; what is added afterwards follows.</summary>
    [Fact]
    public async Task Old_history_goes()
    {
        // In times to come: a store may also go by when an entry was written, and all of these are written now.
        DateTimeOffset start = (_store.Clock ?? TimeProvider.System).GetUtcNow().AddDays(1);
        for (int i = 0; i < 6; i++)
        {
            await _store.AppendHistoryAsync(SampleRecords.Entry(epoch: i) with { At = start.AddHours(i) }, Token);
        }

        Assert.False(await _other.PruneHistoryAsync(start, long.MaxValue, Token));
        Assert.True(await _other.PruneHistoryAsync(start.AddHours(4), long.MaxValue, Token));
        Assert.Equal([5L, 4], await EpochsAsync(new HistoryQuery()));
        await _store.AppendHistoryAsync(SampleRecords.Entry(epoch: 6) with { At = start.AddHours(6) }, Token);
        Assert.Equal([6L, 5, 4], await EpochsAsync(new HistoryQuery()));
        Assert.True(await _store.PruneHistoryAsync(start.AddHours(9), long.MaxValue, Token));
        Assert.Empty(await EpochsAsync(new HistoryQuery()));
        Assert.False(await _store.PruneHistoryAsync(start.AddHours(9), long.MaxValue, Token));
        await _store.AppendHistoryAsync(SampleRecords.Entry(epoch: 7), Token);
        Assert.Equal([7L], await EpochsAsync(new HistoryQuery()));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await _store.PruneHistoryAsync(start, 0, Token));
    }

    /// <summary>What others write while old entries go is not lost.</summary>
    [Fact]
    public async Task History_written_meanwhile_stays()
    {
        const int Each = 60;
        DateTimeOffset start = (_store.Clock ?? TimeProvider.System).GetUtcNow().AddDays(1);
        bool writing = true;
        Task pruner = Task.Run(
            async () =>
            {
                while (Volatile.Read(ref writing))
                {
                    await _other.AppendHistoryAsync(SampleRecords.Entry(key: "old") with { At = start }, Token);
                    await _other.PruneHistoryAsync(start.AddHours(1), long.MaxValue, Token);
                }
            },
            Token);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(writer => Task.Run(
            async () =>
            {
                for (int i = 0; i < Each; i++)
                {
                    await _store.AppendHistoryAsync(SampleRecords.Entry(key: $"{writer}", epoch: i) with { At = start.AddHours(2) }, Token);
                }
            },
            Token)));
        Volatile.Write(ref writing, false);
        await pruner;

        for (int writer = 0; writer < 3; writer++)
        {
            Assert.Equal(Enumerable.Range(0, Each).Select(i => (long)i).Reverse(), await EpochsAsync(new HistoryQuery(Key: $"{writer}")));
        }
    }

    private async Task<IEnumerable<long>> EpochsAsync(HistoryQuery query) => (await _other.ReadHistoryAsync(query, Token)).Select(entry => entry.Epoch);
}
