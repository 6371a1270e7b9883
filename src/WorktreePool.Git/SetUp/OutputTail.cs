using System.Text;

namespace WorktreePool.Git.SetUp;

/// <summary>The ends of what a command writes, of each stream by itself: what it complains of is not lost in what it says besides, whichever is read first.</summary>
internal sealed class OutputTail(IEnumerable<string> secrets)
{
    /// <summary>Of each stream.</summary>
    private const int Longest = 1200;

    /// <summary>A value shorter than this is no secret, and replacing it would spoil the text.</summary>
    private const int ShortestSecret = 8;

    private readonly List<StringBuilder> _streams = [];

    /// <summary>One line; the values of the step's own variables are replaced, because a quarantine's reason is shown to everybody.</summary>
    public string Text
    {
        get
        {
            string[] texts;
            lock (_streams)
            {
                texts = [.. _streams.Select(text => text.ToString())];
            }

            return string.Join(" / ", texts.Select(EndOf).Where(end => end.Length > 0));
        }
    }

    private string EndOf(string text)
    {
        foreach (string secret in secrets.Where(secret => secret.Length >= ShortestSecret))
        {
            text = text.Replace(secret, "***", StringComparison.Ordinal);
        }

        text = text.Trim().ReplaceLineEndings(" / ");
        return text.Length > Longest ? "… " + text[^Longest..] : text;
    }

    /// <summary>Reads a stream to the end; those come first in the text that are begun first.</summary>
    public async Task ReadAsync(StreamReader from)
    {
        var text = new StringBuilder();
        lock (_streams)
        {
            _streams.Add(text);
        }

        char[] buffer = new char[4096];
        for (int read = await from.ReadAsync(buffer).ConfigureAwait(false); read > 0; read = await from.ReadAsync(buffer).ConfigureAwait(false))
        {
            lock (_streams)
            {
                text.Append(buffer, 0, read);
                text.Remove(0, Math.Max(0, text.Length - (2 * Longest)));
            }
        }
    }
}
