using System.Collections.Concurrent;
using System.Diagnostics;
using WorktreePool.Benchmarks.Stores;
using WorktreePool.FileState;

namespace WorktreePool.Benchmarks.Contention;

/// <summary>One process of the harness: claims and releases until its time is over, then tells of every pair.</summary>
internal static class ContentionWorker
{
    public const string Verb = "contention-worker";

    /// <summary>What it says when it waits to be told to run, and for how many seconds.</summary>
    public const string Ready = "ready";

    public static async Task<int> RunAsync(ContentionSettings settings)
    {
        await using PoolUnderTest pool = await ReadyPool.CreateAsync(settings.Root, settings.Slots, builder => builder.UseFileState());
        Console.WriteLine(Ready);
        while (Console.ReadLine() is { } seconds)
        {
            foreach (Pair pair in await RunPairsAsync(pool.Pool, settings, ContentionSettings.Number(seconds)))
            {
                Console.WriteLine(pair.ToLine());
            }

            Console.WriteLine(Ready);
        }

        return 0;
    }

    private static async Task<ConcurrentBag<Pair>> RunPairsAsync(IWorktreePool pool, ContentionSettings settings, double seconds)
    {
        var pairs = new ConcurrentBag<Pair>();
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        await Task.WhenAll(Enumerable.Range(0, settings.Claimers).Select(claimer => Task.Run(async () =>
        {
            var request = new ClaimRequest { Key = $"{Environment.ProcessId}-{claimer}" };
            while (Stopwatch.GetTimestamp() < end)
            {
                pairs.Add(await RunPairAsync(pool, request, settings));
            }
        })));
        return pairs;
    }

    private static async Task<Pair> RunPairAsync(IWorktreePool pool, ClaimRequest request, ContentionSettings settings)
    {
        long asked = Stopwatch.GetTimestamp();
        SlotLease lease = await pool.ClaimAsync(request);
        long claimed = Stopwatch.GetTimestamp();
        await PauseAsync(settings);
        long releasing = Stopwatch.GetTimestamp();
        await lease.ReleaseAsync();
        long released = Stopwatch.GetTimestamp();

        // As long as it held: otherwise the claimer that has just released is the first to claim again, and nothing is handed over.
        await PauseAsync(settings);
        return new Pair(Environment.ProcessId, lease.Slot, lease.Epoch, asked, claimed, releasing, released);
    }

    private static Task PauseAsync(ContentionSettings settings) => settings.HoldMilliseconds > 0
        ? Task.Delay(TimeSpan.FromMilliseconds(settings.HoldMilliseconds), TimeProvider.System)
        : Task.CompletedTask;
}
