using System.Globalization;

namespace WorktreePool.Settings;

/// <summary>Values of settings as text. What cannot be read is a <see cref="FormatException"/> whose message is the rule.</summary>
internal static class SettingText
{
    public static string Text(string text) => text.Length > 0 ? text : throw new FormatException("it must not be empty.");

    public static int Number(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new FormatException("that is no whole number.");

    public static long Bytes(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
        ? number
        : throw new FormatException("that is no number of bytes.");

    public static bool YesNo(string text) => bool.TryParse(text, out bool yes) ? yes : throw new FormatException("it must be true or false.");

    public static TimeSpan Time(string text) => Duration.TryParse(text, out TimeSpan time) ? time : throw new FormatException(Duration.Rule);

    public static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>One of the names of an enumeration, in any case.</summary>
    public static T Word<T>(string text) where T : struct, Enum =>
        Enum.GetNames<T>().FirstOrDefault(name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase)) is { } word
            ? Enum.Parse<T>(word)
            : throw new FormatException($"it must be {string.Join(" or ", Enum.GetNames<T>().Select(name => $"\"{name.ToLowerInvariant()}\""))}.");

    public static string Write<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    public static string Write(bool value) => value ? "true" : "false";

    public static string Write(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string? Write(IList<string> lines) => lines.Count == 0 ? null : string.Join('\n', lines);
}
