using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;

namespace WorktreePool.Benchmarks;

/// <summary>A pool as a program would make it, through the public face only.</summary>
internal sealed class PoolUnderTest : IAsyncDisposable
{
    public const string Name = "benchmark";

    private readonly ServiceProvider _services;

    private PoolUnderTest(ServiceProvider services)
    {
        _services = services;
        Pool = services.GetRequiredKeyedService<IWorktreePool>(Name);
    }

    public IWorktreePool Pool { get; }

    /// <summary>Makes the pool with all its slots ready.</summary>
    public static async Task<PoolUnderTest> CreateAsync(Action<WorktreePoolOptions> configure, Action<WorktreePoolBuilder> choose)
    {
        var services = new ServiceCollection();
        choose(services.AddWorktreePool(Name, configure));
        var pool = new PoolUnderTest(services.BuildServiceProvider());
        PoolSnapshot snapshot = await pool._services.GetRequiredKeyedService<IPoolOperator>(Name).InitializeAsync();
        return snapshot.Slots.All(slot => slot.Record.State is SlotState.Free or SlotState.Leased or SlotState.Preparing or SlotState.Cleaning)
            ? pool
            : throw new InvalidOperationException($"The pool is not ready: {string.Join("; ", snapshot.Slots.Select(slot => $"{slot.Record.Slot} {slot.Record.State} {slot.Record.Quarantine?.Reason}"))}");
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
