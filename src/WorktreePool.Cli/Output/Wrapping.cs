using System.Text;

namespace WorktreePool.Cli.Output;

/// <summary>Long lines broken between words, for a terminal; a terminal itself breaks them anywhere.</summary>
internal static class Wrapping
{
    /// <summary>What follows a break stands further in than the line's own beginning by so much.</summary>
    private const int Hanging = 2;

    /// <summary>Below so many columns for the rest of a line, it is not worth while to stand in.</summary>
    private const int LeastRoom = 20;

    /// <summary>As wide as the terminal; unchanged where there is none.</summary>
    public static string ToScreen(string text) => Screen.IsTerminal ? Wrap(text, Screen.Width, null) : text;

    /// <summary>Lines of at most so many characters; a longer word stays whole.</summary>
    /// <param name="text">Lines.</param>
    /// <param name="width">How many.</param>
    /// <param name="indent">Where the rest of a broken line begins; null: a little further in than the line.</param>
    public static string Wrap(string text, int width, int? indent) => string.Join('\n', text.Split('\n').Select(line => WrapLine(line, width, indent)));

    private static string WrapLine(string line, int width, int? wanted)
    {
        if (line.Length <= width)
        {
            return line;
        }

        int own = line.Length - line.TrimStart().Length;
        int indent = wanted is { } given && width - given >= LeastRoom ? given : Math.Min(own + Hanging, width / 2);
        var wrapped = new StringBuilder();
        string rest = line;
        int start = own;
        while (rest.Length > width && (rest.LastIndexOf(' ', width) is var before && before > start ? before : rest.IndexOf(' ', Math.Max(width, start))) is > 0 and var end)
        {
            wrapped.Append(rest.AsSpan(0, end).TrimEnd()).Append('\n');
            rest = new string(' ', indent) + rest[(end + 1)..];
            start = indent;
        }

        return wrapped.Append(rest).ToString();
    }
}
