namespace WorktreePool.FileState.Tests;

/// <summary>Old history goes, and nothing else, whenever whoever drops it is killed.</summary>
public sealed class OldHistoryTests : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly PoolDirectory _pool = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _pool.Dispose();

    [Theory]
    [InlineData("history begun anew", false)]
    [InlineData("history copied", false)]
    [InlineData("history put in place", true)]
    public async Task Killed_at_any_point_it_leaves_the_old_history_or_the_new(string point, bool isDone)
    {
        await using FileSlotStateStore store = _pool.Open();
        await WriteAsync(store, 10, old: 6);
        using (var killed = HelperProcess.Start("prune-history", _pool.Pool, point))
        {
            (int code, string output) = await killed.EndAsync();
            (code == 0, output).Should().Be((false, ""), "it was killed");
        }

        (await EpochsAsync(store)).Should().Equal(isDone ? [9, 8, 7, 6] : [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
        await store.AppendHistoryAsync(Entry(10, Now), Token);
        await store.PruneHistoryAsync(Now.AddDays(-1), long.MaxValue, Token);
        (await EpochsAsync(store)).Should().Equal(10, 9, 8, 7, 6);
    }

    [Fact]
    public async Task What_other_processes_write_meanwhile_stays()
    {
        const int Each = 600;
        await using FileSlotStateStore store = _pool.Open();
        List<HelperProcess> writers = [.. Enumerable.Range(0, 3).Select(writer => HelperProcess.Start("count", _pool.Pool, $"slot-{writer}", $"{Each}"))];
        try
        {
            List<Task<(int, string)>> ends = [.. writers.Select(writer => writer.EndAsync())];
            Task all = Task.WhenAll(ends);
            int dropped = 0;
            while (!all.IsCompleted)
            {
                dropped += await store.PruneHistoryAsync(DateTimeOffset.MinValue, 4000, Token) ? 1 : 0;
            }

            await all;
            ends.Should().OnlyContain(end => end.Result.Item1 == 0, "each has written all of its entries");
            dropped.Should().BePositive();
            int left = 0;
            for (int writer = 0; writer < writers.Count; writer++)
            {
                long[] kept = [.. (await store.ReadHistoryAsync(new HistoryQuery(Slot: $"slot-{writer}", Limit: 1000), Token)).Select(entry => entry.Epoch)];
                kept.Should().Equal(Enumerable.Range(0, kept.Length).Select(at => (long)Each - at), "only the oldest go, and none from the middle or the end");
                left += kept.Length;
            }

            left.Should().BePositive();
        }
        finally
        {
            writers.ForEach(writer => writer.Dispose());
        }
    }

    [Fact]
    public async Task A_history_that_is_too_long_loses_its_oldest_part_whatever_its_age()
    {
        await using FileSlotStateStore store = _pool.Open();
        await WriteAsync(store, 200, old: 0);
        long length = new FileInfo(_pool.History).Length;

        (await store.PruneHistoryAsync(DateTimeOffset.MinValue, length, Token)).Should().BeFalse("it is within its limit");
        (await store.PruneHistoryAsync(DateTimeOffset.MinValue, length / 2, Token)).Should().BeTrue();

        new FileInfo(_pool.History).Length.Should().BeLessThan(length / 2).And.BeGreaterThan(length / 4, "not more goes than must");
        long[] kept = await EpochsAsync(store);
        kept.Should().Equal(Enumerable.Range(0, kept.Length).Select(at => 199L - at));
    }

    [Fact]
    public async Task While_little_is_old_the_file_is_left_alone()
    {
        await using FileSlotStateStore store = _pool.Open();
        await WriteAsync(store, 100, old: 5);
        byte[] before = await File.ReadAllBytesAsync(_pool.History, Token);

        (await store.PruneHistoryAsync(Now.AddDays(-1), long.MaxValue, Token)).Should().BeFalse();

        (await File.ReadAllBytesAsync(_pool.History, Token)).Should().Equal(before);
    }

    [Fact]
    public async Task A_torn_line_goes_with_those_before_it_and_one_at_the_end_harms_nobody()
    {
        await using FileSlotStateStore store = _pool.Open();
        await WriteAsync(store, 4, old: 4);
        await File.AppendAllTextAsync(_pool.History, "{\"at\":\"20", Token);
        await WriteAsync(store, 3, old: 0, first: 4);
        await File.AppendAllTextAsync(_pool.History, "{\"at\":\"20", Token);

        (await store.PruneHistoryAsync(Now.AddDays(-1), long.MaxValue, Token)).Should().BeTrue();
        await WriteAsync(store, 1, old: 0, first: 7);

        (await EpochsAsync(store)).Should().Equal(7, 6, 5, 4);
    }

    [Fact]
    public async Task Of_two_who_drop_one_does()
    {
        await using FileSlotStateStore store = _pool.Open();
        await WriteAsync(store, 4, old: 2);
        using var other = HelperProcess.Start("hold-file", _pool.File("history.lock"));
        (await other.ReadLineAsync()).Should().Be("held");

        (await store.PruneHistoryAsync(Now.AddDays(-1), long.MaxValue, Token)).Should().BeFalse();
        await other.KillAsync();
        (await store.PruneHistoryAsync(Now.AddDays(-1), long.MaxValue, Token)).Should().BeTrue();
    }

    private static async Task WriteAsync(FileSlotStateStore store, int entries, int old, int first = 0)
    {
        for (int epoch = first; epoch < first + entries; epoch++)
        {
            await store.AppendHistoryAsync(Entry(epoch, Now.AddDays(epoch < first + old ? -2 : 0)), Token);
        }
    }

    private static HistoryEntry Entry(long epoch, DateTimeOffset at) => new() { At = at, Event = HistoryEvent.Claimed, Slot = "slot-0", Key = "K", Epoch = epoch };

    private static async Task<long[]> EpochsAsync(FileSlotStateStore store) => [.. (await store.ReadHistoryAsync(new HistoryQuery(Limit: 1000), Token)).Select(entry => entry.Epoch)];
}
