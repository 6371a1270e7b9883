using System.Collections.Concurrent;

namespace WorktreePool.Process.Tests.Crash;

/// <summary>Each operation once: the pool before it, and the points that it passes. Traced when first asked for, and kept for all tests of the suite.</summary>
public sealed class CrashTraces : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(string, string), Lazy<Task<CrashTrace>>> _traces = [];

    internal Task<CrashTrace> GetAsync(string operation, string before) =>
        _traces.GetOrAdd((operation, before), _ => new Lazy<Task<CrashTrace>>(() => TraceAsync(operation, before))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (Lazy<Task<CrashTrace>> trace in _traces.Values)
        {
            await (await trace.Value).Site.DisposeAsync();
        }
    }

    private static async Task<CrashTrace> TraceAsync(string operation, string before)
    {
        var site = new CrashSite();
        var stage = new CrashStage(site);
        await stage.SetAsync(before);
        site.Keep();
        stage.AddWhatCannotBeKept(before);
        return new CrashTrace(site, stage, await site.TraceAsync(operation));
    }
}

/// <summary>An operation that was traced.</summary>
/// <param name="Site">Where.</param>
/// <param name="Stage">How the pool stood, and what must hold after a crash.</param>
/// <param name="Points">What it passes, each as "OCCURRENCE NAME".</param>
internal sealed record CrashTrace(CrashSite Site, CrashStage Stage, IReadOnlyList<string> Points);
