using System.Diagnostics;
using System.Globalization;

namespace WorktreePool.Benchmarks.Contention;

/// <summary>Starts real processes that fight for the slots of one pool, and says how they fared: first one process with one claimer, as the floor, then as many as asked for.</summary>
internal static class ContentionVerb
{
    public static async Task<int> RunAsync(ContentionSettings settings)
    {
        double alone = Report("one process, one claimer", await MeasureAsync(settings with { Processes = 1, Claimers = 1 }), settings.Seconds);
        double together = Report(
            $"{settings.Processes} processes x {settings.Claimers} claimers", await MeasureAsync(settings), settings.Seconds);
        Say($"total rate against one process: {together / alone:P0}");
        return 0;
    }

    private static async Task<List<Pair>> MeasureAsync(ContentionSettings settings)
    {
        string root = Scratch.Create();
        List<Process> workers = [];
        try
        {
            for (int i = 0; i < settings.Processes; i++)
            {
                workers.Add(Start(settings with { Root = root }));

                // One after the other: the first makes the pool.
                if (await workers[i].StandardOutput.ReadLineAsync() != "ready")
                {
                    throw new InvalidOperationException("a worker did not start; it says why on standard error");
                }
            }

            foreach (Process worker in workers)
            {
                await worker.StandardInput.WriteLineAsync("go");
                await worker.StandardInput.FlushAsync();
            }

            string[] outputs = await Task.WhenAll(workers.Select(worker => worker.StandardOutput.ReadToEndAsync()));
            await Task.WhenAll(workers.Select(worker => worker.WaitForExitAsync()));
            return workers.TrueForAll(worker => worker.ExitCode == 0)
                ? [.. outputs.SelectMany(output => output.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Select(Pair.Parse)]
                : throw new InvalidOperationException("a worker failed; it says why on standard error");
        }
        finally
        {
            foreach (Process worker in workers)
            {
                if (!worker.HasExited)
                {
                    worker.Kill();
                }

                worker.Dispose();
            }

            Scratch.Remove(root);
        }
    }

    private static Process Start(ContentionSettings settings) => Process.Start(
        new ProcessStartInfo(Environment.ProcessPath!, [ContentionWorker.Verb, .. settings.ToArguments()]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    /// <summary>Prints the figures; returns pairs per second.</summary>
    private static double Report(string title, List<Pair> pairs, double seconds)
    {
        CheckExclusion(pairs);
        double rate = pairs.Count / seconds;
        Say($"{title}: {pairs.Count} pairs, {rate:0} pairs/s");
        double median = Tell("  claim returned after", [.. pairs.Select(pair => Milliseconds(pair.Asked, pair.Claimed))]);
        double longest = pairs.Max(pair => Milliseconds(pair.Asked, pair.Claimed));
        Say($"  longest wait is {longest / median:0.0} x the median");
        if (HandOvers(pairs) is { Count: > 0 } handOvers)
        {
            Tell("  hand-over to another process", handOvers);
        }

        return rate;
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
