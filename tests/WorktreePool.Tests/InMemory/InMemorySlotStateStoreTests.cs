using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Testing;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Tests.InMemory;

/// <summary>The store in memory is a store like any other.</summary>
[ConformanceOf(typeof(InMemorySlotStateStore))]
public sealed class InMemorySlotStateStoreTests : SlotStateStoreConformance
{
    private readonly InMemorySlotStateStore _pool = new();

    protected override ISlotStateStore Open() => _pool.Connect();

    [Fact]
    public async Task Disposing_is_the_end_of_a_process()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        InMemorySlotStateStore dying = _pool.Connect();
        IAsyncDisposable? held = await dying.TryLockSlotAsync("slot-0", token);
        Task wait = dying.WaitForChangeAsync((await dying.ReadAsync(token)).Stamp, token).AsTask();
        await dying.DisposeAsync();

        await wait.Awaiting(w => w).Should().ThrowAsync<ObjectDisposedException>();
        await dying.Awaiting(d => d.ReadAsync(token).AsTask()).Should().ThrowAsync<ObjectDisposedException>();
        (await _pool.TryLockSlotAsync("slot-0", token)).Should().NotBeNull("the lock of a dead process is free");
        await held!.DisposeAsync();
        (await _pool.TryLockSlotAsync("slot-0", token)).Should().BeNull("the dead process does not free its successor's lock");
    }

    [Fact]
    public async Task Pools_share_a_store_that_outlives_them()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var record = new SlotRecord { Slot = "slot-0", Host = "h", Path = "/p" };
        await using (ServiceProvider first = Provider(_pool))
        {
            (await Store(first).CompareAndSetAsync(0, record, token)).Applied.Should().BeTrue();
        }

        await using ServiceProvider second = Provider(_pool);
        (await Store(second).ReadAsync(token)).Slots.Should().ContainSingle();
        await using ServiceProvider alone = Provider(null);
        (await Store(alone).ReadAsync(token)).Slots.Should().BeEmpty();
    }

    private static ServiceProvider Provider(InMemorySlotStateStore? shared)
    {
        var services = new ServiceCollection();
        services.AddWorktreePool("p", options => (options.RepositoryPath, options.PoolDirectory) = ("/repository", "/pool")).UseInMemory(shared);
        return services.BuildServiceProvider();
    }

    private static ISlotStateStore Store(ServiceProvider provider) => provider.GetRequiredKeyedService<ISlotStateStore>("p");
}
