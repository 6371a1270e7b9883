namespace WorktreePool.Cli.Output.Html;

/// <summary>What the history adds up to.</summary>
internal static class Figures
{
    private static readonly (TimeSpan Below, string Label)[] Waits =
    [
        (TimeSpan.FromMilliseconds(100), "under 0.1 s"), (TimeSpan.FromSeconds(1), "under 1 s"), (TimeSpan.FromSeconds(10), "under 10 s"),
        (TimeSpan.FromMinutes(1), "under 1 min"), (TimeSpan.MaxValue, "longer"),
    ];

    /// <summary>How often each finding was healed, most often first: in claims that found it, and by the keeper.</summary>
    public static List<(string Finding, int Times)> Heals(IEnumerable<HistoryEntry> history) =>
        [.. history.Where(entry => entry.Event is HistoryEvent.Claimed or HistoryEvent.Healed or HistoryEvent.Reclaimed)
            .SelectMany(entry => entry.Findings).CountBy(finding => finding).Select(pair => (pair.Key, pair.Value))
            .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)];

    /// <summary>How many claims waited how long.</summary>
    public static List<(string Label, int Claims)> WaitsByLength(IReadOnlyList<TimeSpan> waits)
    {
        List<(string, int)> counts = [];
        TimeSpan from = TimeSpan.MinValue;
        foreach ((TimeSpan below, string label) in Waits)
        {
            counts.Add((label, waits.Count(wait => wait >= from && wait < below)));
            from = below;
        }

        return counts;
    }

    /// <summary>The value that a share of all are at or below; the values must be in order, and some.</summary>
    public static TimeSpan Quantile(IReadOnlyList<TimeSpan> ordered, double share) => ordered[(int)Math.Ceiling(share * ordered.Count) is > 0 and var rank ? rank - 1 : 0];
}
