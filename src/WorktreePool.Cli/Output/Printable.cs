using System.Text;

namespace WorktreePool.Cli.Output;

/// <summary>
/// Text that may go to a terminal: names of files and output of git are whatever a former holder made them, and a terminal obeys control
/// characters. They are shown as git and cat show them, <c>^[</c> for escape.
/// </summary>
internal static class Printable
{
    private const char Delete = (char)0x7f, FirstOfC1 = (char)0x80, LastOfC1 = (char)0x9f;

    /// <summary>The text, its line ends and tabs kept.</summary>
    public static string Of(string text)
    {
        if (!text.Any(IsControl))
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            _ = c switch
            {
                _ when !IsControl(c) => shown.Append(c),
                Delete => shown.Append("^?"),
                < ' ' => shown.Append('^').Append((char)(c + '@')),
                _ => shown.Append('�'),
            };
        }

        return shown.ToString();
    }

    private static bool IsControl(char c) => c is (< ' ' and not ('\n' or '\t')) or Delete or (>= FirstOfC1 and <= LastOfC1);
}
