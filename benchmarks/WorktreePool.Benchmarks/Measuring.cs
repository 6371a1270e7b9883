using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace WorktreePool.Benchmarks;

/// <summary>
/// How everything is measured: in this process, so that a repository is made once for all benchmarks of its size, and one invocation per
/// iteration, because a claim changes what it is measured on and has to be undone between two.
/// </summary>
internal static class Measuring
{
    public static IConfig ConfigFor(string[] args)
    {
        Job job = IsDry(args) ? Job.Dry : Job.Default.WithStrategy(RunStrategy.Monitoring).WithWarmupCount(3).WithIterationCount(15);
        return ManualConfig.Create(DefaultConfig.Instance)
            .AddJob(job.WithToolchain(new InProcessEmitToolchain(TimeSpan.FromMinutes(30), logOutput: true)).WithInvocationCount(1).WithUnrollFactor(1))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumn(StatisticColumn.Median, StatisticColumn.P95)
            .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.StopOnFirstError);
    }

    /// <summary>The runner would add its own dry job, which builds a project per job, beside ours.</summary>
    public static string[] WithoutJob(string[] args)
    {
        int at = Array.FindIndex(args, IsJob);
        return at < 0 ? args : [.. args[..at], .. args[(at + 2)..]];
    }

    private static bool IsDry(string[] args)
    {
        int at = Array.FindIndex(args, IsJob);
        return at >= 0 && (at + 1 < args.Length && args[at + 1].Equals("dry", StringComparison.OrdinalIgnoreCase)
            ? true
            : throw new ArgumentException("--job is Dry, or left out: the benchmarks choose their own job."));
    }

    private static bool IsJob(string arg) => arg is "--job" or "-j";
}
