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

    /// <summary>As <see cref="Long"/>, but exact where that matters: 0.2 ms, 35 ms, 2.4 s.</summary>
    public static string Short(TimeSpan time) => time.Duration() switch
    {
        { TotalMilliseconds: < 10 } t => string.Create(CultureInfo.InvariantCulture, $"{t.TotalMilliseconds:0.#} ms"),
        { TotalSeconds: < 1 } t => string.Create(CultureInfo.InvariantCulture, $"{t.TotalMilliseconds:0} ms"),
        { TotalSeconds: < 10 } t => string.Create(CultureInfo.InvariantCulture, $"{t.TotalSeconds:0.#} s"),
        var t => Long(t),
    };
}
