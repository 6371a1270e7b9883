using System.Globalization;

namespace WorktreePool.Cli.Output;

/// <summary>Times as people say them.</summary>
internal static class Ago
{
    /// <summary>How long, in the one unit that says most: 45 s, 12 min, 3 h, 5 days.</summary>
    public static string Long(TimeSpan time)
    {
        (double number, string unit) = time.Duration() switch
        {
            { TotalSeconds: < 100 } t => (t.TotalSeconds, "s"),
            { TotalMinutes: < 100 } t => (t.TotalMinutes, "min"),
            { TotalHours: < 48 } t => (t.TotalHours, "h"),
            var t => (t.TotalDays, "days"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(number):0} {unit}");
    }
}
