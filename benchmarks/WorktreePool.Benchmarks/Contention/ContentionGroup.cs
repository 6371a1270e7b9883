using System.Diagnostics;

namespace WorktreePool.Benchmarks.Contention;

/// <summary>Real processes that fight for the slots of one pool of their own, whenever they are told to.</summary>
internal sealed class ContentionGroup : IDisposable
{
    private readonly ContentionSettings _settings;
    private readonly List<Process> _workers = [];

    private ContentionGroup(ContentionSettings settings) => _settings = settings with { Root = Scratch.Create() };

    /// <summary>Starts them, and lets them run for the time that does not count.</summary>
    public static async Task<ContentionGroup> StartAsync(ContentionSettings settings)
    {
        var group = new ContentionGroup(settings);
        try
        {
            for (int i = 0; i < settings.Processes; i++)
            {
                // One after the other: the first makes the pool.
                group._workers.Add(Start(group._settings));
                await ExpectAsync(group._workers[i], ContentionWorker.Ready);
            }

            await group.RunAsync(settings.WarmUpSeconds);
            return group;
        }
        catch
        {
            group.Dispose();
            throw;
        }
    }

    /// <summary>Lets all of them claim and release.</summary>
    /// <returns>What each did.</returns>
    public async Task<List<Pair>> RunAsync(double seconds)
    {
        foreach (Process worker in _workers)
        {
            await worker.StandardInput.WriteLineAsync(ContentionSettings.Text(seconds));
            await worker.StandardInput.FlushAsync();
        }

        return [.. (await Task.WhenAll(_workers.Select(ReadPairsAsync))).SelectMany(pairs => pairs)];
    }

    public void Dispose()
    {
        foreach (Process worker in _workers)
        {
            worker.Kill();
            worker.WaitForExit();
            worker.Dispose();
        }

        Scratch.Remove(_settings.Root);
    }

    private static Process Start(ContentionSettings settings) => Process.Start(
        new ProcessStartInfo(Environment.ProcessPath!, [ContentionWorker.Verb, .. settings.ToArguments()]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    private static async Task<List<Pair>> ReadPairsAsync(Process worker)
    {
        List<Pair> pairs = [];
        while (await ReadAsync(worker) is var line && line != ContentionWorker.Ready)
        {
            pairs.Add(Pair.Parse(line));
        }

        return pairs;
    }

    private static async Task ExpectAsync(Process worker, string line)
    {
        if (await ReadAsync(worker) != line)
        {
            throw new InvalidOperationException("a worker says something else than that it is ready");
        }
    }

    private static async Task<string> ReadAsync(Process worker) =>
        await worker.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("a worker has ended; it says why on standard error");
}
