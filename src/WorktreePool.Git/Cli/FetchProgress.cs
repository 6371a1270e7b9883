using System.Globalization;
using System.Text.RegularExpressions;

namespace WorktreePool.Git.Cli;

/// <summary>What git says of a fetch while it goes on: <c>Receiving objects:  45% (450/1000), 1.20 MiB | 3.00 MiB/s</c>.</summary>
internal static partial class FetchProgress
{
    /// <summary>Reads git's lines for somebody who waits; null for nobody.</summary>
    public static Action<string>? To(IProgress<PoolProgress>? progress) => progress is null ? null : line =>
    {
        if (Read(line) is { } step)
        {
            progress.Report(step);
        }
    };

    /// <summary>Null for a line that tells no progress.</summary>
    public static PoolProgress? Read(string line) =>
        Step().Match(line) is { Success: true } match
            ? new PoolProgress(PoolPhase.Fetching, Number(match, "done"), Number(match, "total"), $"{match.Groups["what"].Value}{match.Groups["rate"].Value}")
            : null;

    /// <summary>What git complained of, without the progress.</summary>
    /// <param name="error">All that it said.</param>
    public static string Complaint(string error) =>
        string.Join(" / ", error.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line => Read(line) is null).TakeLast(6)).TrimEnd('.');

    private static long Number(Match match, string group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?:remote: )?(?<what>[A-Z][a-z]+ [a-z]+): +\d+% \((?<done>\d{1,18})/(?<total>\d{1,18})\)(?<rate>, [\d.]+ \w+ \| [\d.]+ \w+/s)?")]
    private static partial Regex Step();
}
