using System.Diagnostics;
using System.Globalization;

namespace WorktreePool.Benchmarks.Contention;

/// <summary>Starts real processes that fight for the slots of one pool, and says how they fared: first one process with one claimer, as the floor, then as many as asked for.</summary>
internal static class ContentionVerb
{
    public static async Task<int> RunAsync(ContentionSettings settings)
    {
        using ContentionGroup one = await ContentionGroup.StartAsync(settings with { Processes = 1, Claimers = 1 });
        using ContentionGroup all = await ContentionGroup.StartAsync(settings);
        List<List<Pair>> alone = [], together = [];
        for (int round = 0; round < settings.Rounds; round++)
        {
            alone.Add(await one.RunAsync(settings.Seconds));
            together.Add(await all.RunAsync(settings.Seconds));
        }

        Report("one process, one claimer", alone, settings.Seconds);
        Report($"{settings.Processes} processes x {settings.Claimers} claimers", together, settings.Seconds);
        double[] ratios = [.. alone.Zip(together, (floor, own) => (double)own.Count / floor.Count).Order()];
        Say($"total rate against one process: {ratios[ratios.Length / 2]:P0}, of {settings.Rounds} rounds in turns {ratios[0]:P0} to {ratios[^1]:P0}");
        return 0;
    }

    /// <summary>Prints the figures of all rounds.</summary>
    private static void Report(string title, List<List<Pair>> rounds, double seconds)
    {
        rounds.ForEach(CheckExclusion);
        List<Pair> pairs = [.. rounds.SelectMany(round => round)];
        Say($"{title}: {pairs.Count} pairs, {pairs.Count / seconds / rounds.Count:0} pairs/s");
        double median = Tell("  claim returned after", [.. pairs.Select(pair => Milliseconds(pair.Asked, pair.Claimed))]);
        double longest = pairs.Max(pair => Milliseconds(pair.Asked, pair.Claimed));
        Say($"  longest wait is {longest / median:0.0} x the median");
        if (rounds.SelectMany(HandOvers).ToList() is { Count: > 0 } handOvers)
        {
            Tell("  hand-over to another process", handOvers);
        }
    }

    /// <summary>A rate counts only if no slot had two holders at once.</summary>
    private static void CheckExclusion(List<Pair> pairs)
    {
        foreach (Pair[] holders in HoldersOfSlots(pairs))
        {
            for (int i = 1; i < holders.Length; i++)
            {
                if (holders[i].Claimed < holders[i - 1].Releasing)
                {
                    throw new InvalidOperationException($"{holders[i].Slot} had two holders at once: {holders[i - 1]} and {holders[i]}");
                }
            }
        }
    }

    /// <summary>From the call of a release to the return of the claim that waited in another process and got the slot.</summary>
    private static List<double> HandOvers(List<Pair> pairs) =>
    [
        .. HoldersOfSlots(pairs).SelectMany(holders => holders.Zip(holders.Skip(1)))
            .Where(pair => pair.First.Process != pair.Second.Process && pair.Second.Asked < pair.First.Releasing)
            .Select(pair => Milliseconds(pair.First.Releasing, pair.Second.Claimed)),
    ];

    private static IEnumerable<Pair[]> HoldersOfSlots(List<Pair> pairs) => pairs.GroupBy(pair => pair.Slot).Select(slot => slot.OrderBy(pair => pair.Epoch).ToArray());

    /// <summary>Prints a distribution; returns its median.</summary>
    private static double Tell(string what, List<double> values)
    {
        values.Sort();
        double At(double share) => values[Math.Min(values.Count - 1, (int)(values.Count * share))];
        Say($"{what}: p50 {At(0.5):0.00} ms, p99 {At(0.99):0.00} ms, max {values[^1]:0.00} ms ({values.Count})");
        return At(0.5);
    }

    private static double Milliseconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
