using BenchmarkDotNet.Attributes;

namespace WorktreePool.Benchmarks.Git;

/// <summary>The command as a native build, whole processes: what a script pays for a claim.</summary>
public class CommandBenchmarks
{
    private const string Built = "artifacts/native/worktree-pool";

    private readonly string _command = Find();
    private SampleRepository _repository = null!;
    private string _pool = "";

    [Params(3_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _repository = SampleRepository.Of(Files);
        _pool = Path.Combine(_repository.Root, $"pool-{Guid.NewGuid():N}");
        Scratch.Run(_repository.Root, _command, "init", "--repo", _repository.Main, "--pool", _pool, "--slots", "1");
    }

    [Benchmark(Baseline = true)]
    public string GitStatus() => Scratch.Git(_repository.Floor, "status", "--porcelain=v2", "--ignored");

    [Benchmark]
    public string ClaimJson() => Scratch.Run(_repository.Root, _command, "claim", "--json", "--pool", _pool, "--key", "command");

    [IterationCleanup(Target = nameof(ClaimJson))]
    public void Release() => Scratch.Run(_repository.Root, _command, "release", "--pool", _pool, "--key", "command");

    [Benchmark]
    public string Version() => Scratch.Run(_repository.Root, _command, "--version");

    private static string Find()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, Built)))
            {
                return Path.Combine(directory.FullName, Built);
            }
        }

        throw new InvalidOperationException($"There is no {Built}. Build it first: dotnet publish -c Release -r linux-x64 src/WorktreePool.Cli -o artifacts/native");
    }
}
