using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class SlotStateStoreConformance
{
    /// <summary>A change before the wait ends it at once: nothing between reading and waiting is lost.</summary>
    [Fact]
    public async Task A_wait_knows_of_changes_before_it()
    {
        string empty = (await _store.ReadAsync(Token)).Stamp;
        await SetAsync(SampleRecords.Free(0), _other);
        await _store.WaitForChangeAsync(empty, Token).AsTask().WaitAsync(Never, Token);
    }

    /// <summary>Every kind of change ends a wait, in whichever process it was made.</summary>
    /// <param name="elsewhere">Whether the change is another process's.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_change_ends_a_wait(bool elsewhere)
    {
        ISlotStateStore changer = elsewhere ? _other : _store;
        SlotRecord record = SampleRecords.Free(0);
        await ChangeAsync(async () => record = await SetAsync(record, changer));
        await ChangeAsync(async () => record = await SetAsync(record, changer));
        await ChangeAsync(async () => Assert.True(await changer.CompareAndSetPoolAsync(0, new PoolRecord(), Token)));
        await ChangeAsync(async () => Assert.True(await changer.RemoveAsync(record.Slot, record.Version, Token)));

        async Task ChangeAsync(Func<Task> change)
        {
            string stamp = (await _store.ReadAsync(Token)).Stamp;
            Task wait = _store.WaitForChangeAsync(stamp, Token).AsTask();
            await change();
            await wait.WaitAsync(Never, Token);
            Assert.NotEqual(stamp, (await _store.ReadAsync(Token)).Stamp);
        }
    }

    /// <summary>One change wakes all who wait for it.</summary>
    [Fact]
    public async Task Everybody_is_woken()
    {
        string stamp = (await _store.ReadAsync(Token)).Stamp;
        List<Task> waits = [.. Enumerable.Range(0, 10).Select(i => (i % 2 == 0 ? _store : _other).WaitForChangeAsync(stamp, Token).AsTask())];
        await SetAsync(SampleRecords.Free(0));
        await Task.WhenAll(waits).WaitAsync(Never, Token);
    }

    /// <summary>However a read, a wait and a change fall together, the wait ends.</summary>
    [Fact]
    public async Task No_change_is_lost()
    {
        SlotRecord record = await SetAsync(SampleRecords.Free(0));
        for (int round = 0; round < 100; round++)
        {
            Task change = Task.Run(async () => record = await SetAsync(record, _other), Token);
            PoolState state = await _store.ReadAsync(Token);
            while (state.Slots[0].Version != round + 2)
            {
                await _store.WaitForChangeAsync(state.Stamp, Token).AsTask().WaitAsync(Never, Token);
                state = await _store.ReadAsync(Token);
            }

            await change;
        }
    }

    /// <summary>A wait for what does not come ends when the caller says so, and soon.</summary>
    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        string stamp = (await _store.ReadAsync(Token)).Stamp;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task wait = Task.Run(
            async () =>
            {
                while (true)
                {
                    // It may return early, so it is asked again.
                    await _store.WaitForChangeAsync(stamp, cancel.Token);
                }
            },
            Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.WaitAsync(Never, Token));
    }

    /// <summary>A wait stands in nobody's way.</summary>
    [Fact]
    public async Task A_wait_holds_nothing()
    {
        string stamp = (await _store.ReadAsync(Token)).Stamp;
        Task wait = _store.WaitForChangeAsync(stamp, Token).AsTask();
        Assert.NotNull(await _other.TryLockSlotAsync("slot-0", Token));
        await SetAsync(SampleRecords.Free(0), _other).WaitAsync(Never, Token);
        await wait.WaitAsync(Never, Token);
    }

    /// <summary>A store that does not say that a call may block is called on its caller's thread: it answers there, at once.</summary>
    [Fact]
    public async Task A_store_that_blocks_nobody_answers_at_once()
    {
        if (_store.MayBlock)
        {
            return;
        }

        ValueTask<StoreResult> change = _store.CompareAndSetAsync(0, SampleRecords.Free(0), Token);
        Assert.True(change.IsCompleted);
        await change;
        ValueTask<PoolState> read = _store.ReadAsync(Token);
        Assert.True(read.IsCompleted);
        await read;
    }
}
