using System.Globalization;
using System.Net;
using System.Text;

namespace WorktreePool.Cli.Output.Html;

/// <summary>HTML in which every value is text: whatever stands in braces is escaped.</summary>
internal sealed class HtmlWriter
{
    private static readonly Escaping Escape = new();

    private readonly StringBuilder _html = new();

    /// <summary>Adds HTML whose braces are text.</summary>
    public void Add(FormattableString html) => _html.Append(html.ToString(Escape)).Append('\n');

    /// <summary>Adds HTML of this program's own.</summary>
    public void AddMarkup(string html) => _html.Append(html).Append('\n');

    public override string ToString() => _html.ToString();

    private sealed class Escaping : IFormatProvider, ICustomFormatter
    {
        public object? GetFormat(Type? formatType) => formatType == typeof(ICustomFormatter) ? this : null;

        public string Format(string? format, object? arg, IFormatProvider? formatProvider) =>
            WebUtility.HtmlEncode(arg is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : arg?.ToString()) ?? "";
    }
}
