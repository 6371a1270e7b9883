using System.Text;

namespace WorktreePool.Git.SetUp;

/// <summary>The end of what a command writes, however much it is.</summary>
internal sealed class OutputTail(IEnumerable<string> secrets)
{
    private const int Longest = 2000;

    /// <summary>A value shorter than this is no secret, and replacing it would spoil the text.</summary>
    private const int ShortestSecret = 8;

    private readonly StringBuilder _text = new();

    /// <summary>One line; the values of the step's own variables are replaced, because a quarantine's reason is shown to everybody.</summary>
    public string Text
    {
        get
        {
            string text;
            lock (_text)
            {
                text = _text.ToString();
            }

            foreach (string secret in secrets.Where(secret => secret.Length >= ShortestSecret))
            {
                text = text.Replace(secret, "***", StringComparison.Ordinal);
            }

            text = text.Trim().ReplaceLineEndings(" / ");
            return text.Length > Longest ? "… " + text[^Longest..] : text;
        }
    }

    /// <summary>Reads to the end.</summary>
    public async Task ReadAsync(StreamReader from)
    {
        char[] buffer = new char[4096];
        for (int read = await from.ReadAsync(buffer).ConfigureAwait(false); read > 0; read = await from.ReadAsync(buffer).ConfigureAwait(false))
        {
            lock (_text)
            {
                _text.Append(buffer, 0, read);
                _text.Remove(0, Math.Max(0, _text.Length - (2 * Longest)));
            }
        }
    }
}
