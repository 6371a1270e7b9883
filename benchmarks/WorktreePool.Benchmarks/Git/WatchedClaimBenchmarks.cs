using BenchmarkDotNet.Attributes;
using WorktreePool.Benchmarks.Ratios;

namespace WorktreePool.Benchmarks.Git;

/// <summary>A claim in a process whose keeper watches the slot and has seen no change since it verified it, against one git status.</summary>
[WarmUpRounds(40)]
public class WatchedClaimBenchmarks
{
    private SampleRepository _repository = null!;
    private PoolUnderTest _pool = null!;
    private SlotLease? _lease;

    [Params(200, 5_000, 50_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _repository = SampleRepository.Of(Files);
        _pool = await _repository.CreatePoolAsync(1, options => options.WatchSlots = true);
        await _pool.Pool.MaintainAsync();
    }

    [GlobalCleanup]
    public async Task CleanupAsync() => await _pool.DisposeAsync();

    [Benchmark(Baseline = true)]
    public string GitStatus() => Scratch.Git(_repository.Floor, "status", "--porcelain=v2", "--ignored");

    [Benchmark]
    [MostAllocated(100)]
    public async Task WatchedClaim()
    {
        _lease = await _pool.Pool.ClaimAsync(new ClaimRequest { Key = "watched" });
        Require.Ready(_lease);
    }

    [IterationCleanup(Target = nameof(WatchedClaim))]
    public void ReleaseAndWatch()
    {
        _lease!.ReleaseAsync().AsTask().GetAwaiter().GetResult();
        _pool.Pool.MaintainAsync().AsTask().GetAwaiter().GetResult();
    }
}
