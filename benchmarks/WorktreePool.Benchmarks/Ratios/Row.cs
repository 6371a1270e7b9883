using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace WorktreePool.Benchmarks.Ratios;

/// <summary>One benchmark method with an instance of its own, run by hand as BenchmarkDotNet would.</summary>
internal sealed class Row
{
    private readonly object _instance;
    private readonly MethodInfo _method;
    private readonly BenchmarkAttribute _benchmark;
    private readonly List<double> _microseconds = [];
    private readonly List<double> _kilobytes = [];

    public Row(Type type, MethodInfo method, PropertyInfo? parameter, object? value)
    {
        (_instance, _method) = (Activator.CreateInstance(type)!, method);
        _benchmark = method.GetCustomAttribute<BenchmarkAttribute>()!;
        parameter?.SetValue(_instance, value);
        MostKilobytes = method.GetCustomAttribute<MostAllocatedAttribute>() is { } most ? most.Kilobytes + (most.ForEach * Convert.ToDouble(value ?? 0, CultureInfo.InvariantCulture)) : double.PositiveInfinity;
    }

    public string Name => _method.Name;

    public bool IsBaseline => _benchmark.Baseline;

    /// <summary>What it may allocate per operation.</summary>
    public double MostKilobytes { get; }

    /// <summary>Microseconds of each round, per operation.</summary>
    public IReadOnlyList<double> Microseconds => _microseconds;

    public double MedianMicroseconds => Median(_microseconds);

    /// <summary>Kilobytes this process allocated, per operation.</summary>
    public double MedianKilobytes => Median(_kilobytes);

    public Task SetUpAsync() => CallAsync<GlobalSetupAttribute>(attribute => attribute.Targets);

    public Task CleanUpAsync() => CallAsync<GlobalCleanupAttribute>(attribute => attribute.Targets);

    /// <summary>One measured invocation, with what goes before and after it.</summary>
    public async Task RunAsync(bool counts)
    {
        await CallAsync<IterationSetupAttribute>(attribute => attribute.Targets);
        long allocated = GC.GetTotalAllocatedBytes();
        long start = Stopwatch.GetTimestamp();
        await InvokeAsync(_method);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        await CallAsync<IterationCleanupAttribute>(attribute => attribute.Targets);
        if (counts)
        {
            _microseconds.Add(elapsed.TotalMicroseconds / _benchmark.OperationsPerInvoke);
            _kilobytes.Add(allocated / 1024.0 / _benchmark.OperationsPerInvoke);
        }
    }

    public static double Median(IEnumerable<double> values) => values.Order().ToArray() is { Length: > 0 } sorted ? sorted[sorted.Length / 2] : double.NaN;

    private async Task CallAsync<TAttribute>(Func<TAttribute, string[]> targetsOf)
        where TAttribute : Attribute
    {
        foreach (MethodInfo method in _instance.GetType().GetMethods())
        {
            if (method.GetCustomAttribute<TAttribute>() is { } attribute && (targetsOf(attribute).Length == 0 || targetsOf(attribute).Contains(Name)))
            {
                await InvokeAsync(method);
            }
        }
    }

    private async Task InvokeAsync(MethodInfo method)
    {
        if (method.Invoke(_instance, null) is Task task)
        {
            await task;
        }
    }
}
