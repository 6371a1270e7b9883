namespace WorktreePool.Benchmarks.Ratios;

/// <summary>
/// How many rounds go before those that count. .NET compiles what has run thirty times once more, and better: a pool in a dispatcher has run for days, and
/// is to be measured so.
/// </summary>
/// <param name="rounds">Rounds.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class WarmUpRoundsAttribute(int rounds) : Attribute
{
    public int Rounds { get; } = rounds;
}
