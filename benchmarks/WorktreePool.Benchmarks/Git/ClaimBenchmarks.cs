using BenchmarkDotNet.Attributes;
using WorktreePool.Benchmarks.Ratios;

namespace WorktreePool.Benchmarks.Git;

/// <summary>A claim of a ready slot, fully verified, against one git status of a worktree of the same commit.</summary>
[WarmUpRounds(200)]
public class ClaimBenchmarks
{
    private SampleRepository _repository = null!;
    private PoolUnderTest _pool = null!;
    private SlotLease? _lease;
    private string _added = "";

    [Params(200, 5_000, 50_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _repository = SampleRepository.Of(Files);
        _pool = await _repository.CreatePoolAsync(1);

        // As in a pool that has been there for more than a moment: files as young as their index are read at each claim until two seconds have passed.
        await Task.Delay(TimeSpan.FromSeconds(2.1));
    }

    [GlobalCleanup]
    public async Task CleanupAsync() => await _pool.DisposeAsync();

    [Benchmark(Baseline = true)]
    public string GitStatus() => Scratch.Git(_repository.Floor, "status", "--porcelain=v2", "--ignored");

    [Benchmark]
    [MostAllocated(200, ForEach = 1)]
    public async Task Claim()
    {
        _lease = await _pool.Pool.ClaimAsync(new ClaimRequest { Key = "claim" });
        Require.Ready(_lease);
    }

    [IterationCleanup(Target = nameof(Claim))]
    public void Release() => _lease!.ReleaseAsync().AsTask().GetAwaiter().GetResult();

    [Benchmark]
    [MostAllocated(600, ForEach = 1.5)]
    public async Task ClaimAndRelease()
    {
        SlotLease lease = await _pool.Pool.ClaimAsync(new ClaimRequest { Key = "pair" });
        Require.Ready(lease);
        await lease.ReleaseAsync();
    }

    [Benchmark]
    public void OutageFix() => Floors.OutageFix(_repository.Floor, _repository.Base);

    [Benchmark]
    public void GitWorktreeAdd()
    {
        _added = Path.Combine(_repository.Root, $"added-{Guid.NewGuid():N}");
        Scratch.Git(_repository.Main, "worktree", "add", "-q", "--detach", _added, _repository.Base);
    }

    [IterationCleanup(Target = nameof(GitWorktreeAdd))]
    public void RemoveAdded() => Scratch.Git(_repository.Main, "worktree", "remove", "--force", _added);
}
