namespace WorktreePool.Benchmarks.Ratios;

/// <summary>How much a benchmark may allocate per operation: more fails the run.</summary>
/// <param name="kilobytes">Of 1,024 bytes.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MostAllocatedAttribute(double kilobytes) : Attribute
{
    public double Kilobytes { get; } = kilobytes;

    /// <summary>Besides, for each one that the benchmark's parameter counts: files or slots.</summary>
    public double ForEach { get; set; }
}
