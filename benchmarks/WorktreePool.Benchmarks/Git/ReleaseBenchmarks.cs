using BenchmarkDotNet.Attributes;
using WorktreePool.Benchmarks.Ratios;

namespace WorktreePool.Benchmarks.Git;

/// <summary>A release of a slot with 10 changed, 10 new and 1,000 ignored files, against the outage's fix, which keeps no work and verifies nothing.</summary>
[WarmUpRounds(10)]
public class ReleaseBenchmarks
{
    private SampleRepository _repository = null!;
    private PoolUnderTest _pool = null!;
    private SlotLease _lease = null!;

    [Params(200, 5_000, 50_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _repository = SampleRepository.Of(Files);
        _pool = await _repository.CreatePoolAsync(1);
    }

    [GlobalCleanup]
    public async Task CleanupAsync() => await _pool.DisposeAsync();

    [IterationSetup(Target = nameof(OutageFix))]
    public void DirtyFloor() => _repository.Dirty(_repository.Floor);

    [Benchmark(Baseline = true)]
    public void OutageFix() => Floors.OutageFix(_repository.Floor, _repository.Base);

    [IterationSetup(Targets = [nameof(ReleaseAndDiscard), nameof(ReleaseAndRescue)])]
    public void ClaimAndDirty()
    {
        _lease = _pool.Pool.ClaimAsync(new ClaimRequest { Key = "release" }).AsTask().GetAwaiter().GetResult();
        Require.Ready(_lease);
        _repository.Dirty(_lease.Path);
    }

    [Benchmark]
    public async Task ReleaseAndDiscard() => await _lease.ReleaseAsync(ReleaseMode.Discard);

    [Benchmark]
    public async Task ReleaseAndRescue() => await _lease.ReleaseAsync(ReleaseMode.Rescue);
}
