using BenchmarkDotNet.Attributes;

namespace WorktreePool.Benchmarks.Git;

/// <summary>A new pool of four slots against four git worktree add, one after the other.</summary>
[IterationCount(3)]
[WarmupCount(1)]
public class ProvisionBenchmarks
{
    private const int Slots = 4;

    private SampleRepository _repository = null!;
    private PoolUnderTest? _pool;
    private string _directory = "";

    [Params(200, 5_000, 50_000)]
    public int Files { get; set; }

    [IterationSetup]
    public void Prepare()
    {
        _repository = SampleRepository.Of(Files);
        _directory = Path.Combine(_repository.Root, $"provision-{Guid.NewGuid():N}");
    }

    [Benchmark(Baseline = true)]
    public void GitWorktreeAdd()
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            Scratch.Git(_repository.Main, "worktree", "add", "-q", "--detach", Path.Combine(_directory, $"added-{slot}"), _repository.Base);
        }
    }

    [Benchmark]
    public async Task Initialize() => _pool = await _repository.CreatePoolAsync(Slots, options => options.PoolDirectory = _directory);

    [IterationCleanup]
    public void Remove()
    {
        _pool?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _pool = null;
        Scratch.Remove(_directory);
        Scratch.Git(_repository.Main, "worktree", "prune", "--expire=now");
    }
}
