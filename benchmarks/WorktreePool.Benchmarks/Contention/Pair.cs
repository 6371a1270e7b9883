using System.Globalization;

namespace WorktreePool.Benchmarks.Contention;

/// <summary>One claim and its release, in ticks of the machine's monotonic clock, which all its processes share.</summary>
/// <param name="Process">Whose.</param>
/// <param name="Slot">Which slot.</param>
/// <param name="Epoch">Of the lease: orders the holders of a slot.</param>
/// <param name="Asked">When the claim was called.</param>
/// <param name="Claimed">When it returned.</param>
/// <param name="Releasing">When the release was called.</param>
/// <param name="Released">When it returned.</param>
internal sealed record Pair(int Process, string Slot, long Epoch, long Asked, long Claimed, long Releasing, long Released)
{
    public string ToLine() => string.Create(CultureInfo.InvariantCulture, $"{Process} {Slot} {Epoch} {Asked} {Claimed} {Releasing} {Released}");

    public static Pair Parse(string line)
    {
        string[] fields = line.Split(' ');
        long At(int field) => long.Parse(fields[field], CultureInfo.InvariantCulture);
        return new Pair((int)At(0), fields[1], At(2), At(3), At(4), At(5), At(6));
    }
}
