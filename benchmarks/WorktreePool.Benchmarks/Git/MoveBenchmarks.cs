using BenchmarkDotNet.Attributes;
using WorktreePool.Benchmarks.Ratios;

namespace WorktreePool.Benchmarks.Git;

/// <summary>A claim that has to move the slot to a commit 50 files away, against a bare checkout.</summary>
[WarmUpRounds(400)]
public class MoveBenchmarks
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

    [Benchmark(Baseline = true)]
    public void GitCheckout() => Scratch.Git(_repository.Floor, "checkout", "-q", "--detach", _repository.Next);

    [IterationCleanup(Target = nameof(GitCheckout))]
    public void CheckoutBase() => Scratch.Git(_repository.Floor, "checkout", "-q", "--detach", _repository.Base);

    [Benchmark]
    public async Task ClaimElsewhere() => _lease = await _pool.Pool.ClaimAsync(new ClaimRequest { Key = "move", Base = _repository.Next });

    [IterationCleanup(Target = nameof(ClaimElsewhere))]
    public void Release() => _lease.ReleaseAsync(ReleaseMode.Discard).AsTask().GetAwaiter().GetResult();
}
