using BenchmarkDotNet.Attributes;
using WorktreePool.Benchmarks.Ratios;
using WorktreePool.FileState;
using WorktreePool.Testing;

namespace WorktreePool.Benchmarks.Stores;

/// <summary>How a pair's own cost and its allocations grow with the number of slots.</summary>
[WarmUpRounds(150)]
public class ScaleBenchmarks
{
    private const int Pairs = 100;

    private readonly string _root = Scratch.Create();
    private PoolUnderTest _pool = null!;

    [Params(4, 64, 512)]
    public int Slots { get; set; }

    [GlobalSetup(Target = nameof(InMemory))]
    public async Task OpenMemoryAsync() => _pool = await ReadyPool.CreateAsync(_root, Slots, builder => builder.UseInMemory());

    [GlobalSetup(Target = nameof(FileStore))]
    public async Task OpenFilesAsync() => _pool = await ReadyPool.CreateAsync(_root, Slots, builder => builder.UseFileState());

    [GlobalCleanup]
    public async Task CloseAsync()
    {
        await _pool.DisposeAsync();
        Scratch.Remove(_root);
    }

    [Benchmark(OperationsPerInvoke = Pairs)]
    [MostAllocated(24, ForEach = 0.1)]
    public Task InMemory() => PairsAsync();

    [Benchmark(OperationsPerInvoke = Pairs)]
    [MostAllocated(80, ForEach = 0.2)]
    public Task FileStore() => PairsAsync();

    private async Task PairsAsync()
    {
        var request = new ClaimRequest { Key = "scale" };
        for (int pair = 0; pair < Pairs; pair++)
        {
            SlotLease lease = await _pool.Pool.ClaimAsync(request);
            await lease.ReleaseAsync();
        }
    }
}
