using BenchmarkDotNet.Attributes;
using WorktreePool.Benchmarks.Ratios;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Testing;

namespace WorktreePool.Benchmarks.Stores;

/// <summary>Claim and release with a git that costs nothing, per pair; the floor is the pair's four transitions as SQLite transactions.</summary>
[WarmUpRounds(150)]
public class StoreBenchmarks : IDisposable
{
    private const int FilePairs = 50;
    private const int MemoryPairs = 64 * 250;

    private readonly string _root = Scratch.Create();
    private PoolUnderTest _pool = null!;
    private SqliteFloor _floor = null!;

    [GlobalSetup(Target = nameof(Sqlite))]
    public void OpenFloor() => _floor = new SqliteFloor(Path.Combine(_root, "floor.db"), slots: 8);

    [GlobalCleanup(Target = nameof(Sqlite))]
    public void Dispose()
    {
        _floor.Dispose();
        Scratch.Remove(_root);
    }

    [GlobalSetup(Target = nameof(FileStore))]
    public async Task OpenFileStoreAsync() => _pool = await ReadyPool.CreateAsync(_root, 8, builder => builder.UseFileState());

    [GlobalSetup(Targets = [nameof(InMemory), nameof(InMemoryWith64Tasks)])]
    public async Task OpenMemoryAsync() => _pool = await ReadyPool.CreateAsync(_root, 64, builder => builder.UseInMemory());

    [GlobalCleanup(Targets = [nameof(FileStore), nameof(InMemory), nameof(InMemoryWith64Tasks)])]
    public async Task CloseAsync()
    {
        await _pool.DisposeAsync();
        Scratch.Remove(_root);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = FilePairs)]
    public void Sqlite()
    {
        for (int pair = 0; pair < FilePairs; pair++)
        {
            _floor.Pair(pair);
        }
    }

    [Benchmark(OperationsPerInvoke = FilePairs)]
    [MostAllocated(80)]
    public Task FileStore() => PairsAsync("file", FilePairs);

    [Benchmark(OperationsPerInvoke = MemoryPairs)]
    [MostAllocated(24)]
    public Task InMemory() => PairsAsync("memory", MemoryPairs);

    [Benchmark(OperationsPerInvoke = MemoryPairs)]
    [MostAllocated(28)]
    public Task InMemoryWith64Tasks() => Task.WhenAll(Enumerable.Range(0, 64).Select(task => Task.Run(() => PairsAsync($"task-{task}", MemoryPairs / 64))));

    private async Task PairsAsync(string key, int pairs)
    {
        var request = new ClaimRequest { Key = key };
        for (int pair = 0; pair < pairs; pair++)
        {
            SlotLease lease = await _pool.Pool.ClaimAsync(request);
            await lease.ReleaseAsync();
        }
    }
}
