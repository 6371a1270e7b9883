namespace WorktreePool.FileState.Tests;

/// <summary>When a change reaches the disk.</summary>
public sealed class DurabilityTests : IDisposable
{
    private static readonly AsyncLocal<List<string>?> Passed = new();

    private readonly PoolDirectory _pool = new();

    /// <summary>Each test hears of the points that it passes itself.</summary>
    static DurabilityTests() => AppContext.SetData("WorktreePool.CrashPoint", (Action<string>)(name => Passed.Value?.Add(name)));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_writer_that_was_killed_had_not_brought_to_the_disk_is_brought_there_before_others_build_on_it()
    {
        await using FileSlotStateStore store = _pool.Open();
        for (int number = 0; number < 2; number++)
        {
            await store.CompareAndSetAsync(0, Record(number), Token);
        }

        (await PassingAsync(() => store.CompareAndSetAsync(1, Record(0), Token))).Should().Equal("state journal written", "state journal durable");
        using (FileLock held = FileLock.TryTake(_pool.File("store.lock"))!)
        {
            ChangeCounter.Begin(held.File, ChangeCounter.ReadHeld(held.File));
        }

        (await PassingAsync(() => store.CompareAndSetAsync(2, Record(0), Token)))
            .Should().Equal("state journal secured", "state journal secured", "state journal written", "state journal durable");
    }

    public void Dispose() => _pool.Dispose();

    private static async Task<IEnumerable<string>> PassingAsync(Func<ValueTask<StoreResult>> change)
    {
        List<string> passed = Passed.Value = [];
        (await change()).Applied.Should().BeTrue();
        Passed.Value = null;
        return passed.Where(name => name.StartsWith("state journal", StringComparison.Ordinal));
    }

    private static SlotRecord Record(int number) => new() { Slot = $"slot-{number}", Host = "h", Path = "/p" };
}
