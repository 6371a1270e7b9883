using Xunit;

namespace WorktreePool.Testing.Conformance;

/// <summary>
/// What every <see cref="ISlotStateStore"/> must do. Derive a test class from it and open the store; each test gets its own class
/// instance, and must get a pool of its own.
/// </summary>
public abstract partial class SlotStateStoreConformance : IAsyncLifetime
{
    /// <summary>After this a wait is taken for one that never ends.</summary>
    private static readonly TimeSpan Never = TimeSpan.FromSeconds(30);

    private readonly List<ISlotStateStore> _opened = [];
    private ISlotStateStore _store = null!;
    private ISlotStateStore _other = null!;

    /// <summary>The host on which the suite's slots lie: a store that reads one host's records is opened on this one.</summary>
    protected const string Host = SampleRecords.Host;

    /// <summary>Opens a store on this test's pool, which is empty at first. Every call stands for another process over the same pool; the suite disposes it.</summary>
    protected abstract ISlotStateStore Open();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Opens the pool for two processes.</summary>
    public virtual ValueTask InitializeAsync()
    {
        _store = Connect();
        _other = Connect();
        return ValueTask.CompletedTask;
    }

    /// <summary>Closes what was opened.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        foreach (ISlotStateStore store in _opened)
        {
            await store.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    private ISlotStateStore Connect()
    {
        ISlotStateStore store = Open();
        ConformanceOfAttribute.Check(GetType(), store.GetType());
        _opened.Add(store);
        return store;
    }

    private async Task<SlotRecord> SetAsync(SlotRecord next, ISlotStateStore? store = null)
    {
        StoreResult result = await (store ?? _store).CompareAndSetAsync(next.Version, next, Token);
        Assert.Equal(StoreOutcome.Applied, result.Outcome);
        Assert.True(result.Applied);
        return result.Stored!;
    }

    /// <summary>The record as another process sees it.</summary>
    private async Task<SlotRecord> ReadAsync(string slot) => Assert.Single((await _other.ReadAsync(Token)).Slots, record => record.Slot == slot);

    private async Task AssertStoredAsync(SlotRecord expected) => SampleRecords.AssertSame(expected, await ReadAsync(expected.Slot));
}
