using System.Globalization;

namespace WorktreePool.Settings;

/// <summary>Durations as people write them: 500ms, 30s, 10m, 2h, or hh:mm:ss.</summary>
internal static class Duration
{
    private static readonly (string Unit, double Milliseconds)[] Units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

    /// <summary>What a text that is none breaks.</summary>
    public const string Rule = "that is no duration. Write 500ms, 30s, 10m, 2h or hh:mm:ss.";

    public static bool TryParse(string text, out TimeSpan value)
    {
        foreach ((string unit, double milliseconds) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                && number * milliseconds < TimeSpan.FromDays(3650).TotalMilliseconds)
            {
                value = TimeSpan.FromMilliseconds(number * milliseconds);
                return true;
            }
        }

        value = default;
        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out value);
    }

    public static string Format(TimeSpan value)
    {
        double milliseconds = value.TotalMilliseconds;
        (string unit, double size) = milliseconds == 0 ? ("s", 1000) : Units.Last(unit => milliseconds % unit.Milliseconds == 0 || unit.Milliseconds == 1);
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / size:0.###}{unit}");
    }
}
