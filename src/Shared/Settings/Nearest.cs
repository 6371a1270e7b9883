namespace WorktreePool.Settings;

/// <summary>For "did you mean": which of the known words is nearest to what was written.</summary>
internal static class Nearest
{
    /// <summary>The nearest word, in any case; the first of several.</summary>
    public static string To(string written, IEnumerable<string> known) =>
        known.MinBy(word => Distance(word.ToLowerInvariant(), written.ToLowerInvariant()))!;

    /// <summary>The nearest word, if it may well have been meant: begun and not ended, or with few letters wrong; else null.</summary>
    public static string? Likely(string written, IEnumerable<string> known)
    {
        string[] words = [.. known];
        string bare = written.TrimStart('-');
        return words.FirstOrDefault(word => bare.Length > 1 && word.TrimStart('-').StartsWith(bare, StringComparison.OrdinalIgnoreCase))
            ?? (words.Length > 0 && To(written, words) is var nearest && Distance(nearest.ToLowerInvariant(), written.ToLowerInvariant()) <= Math.Max(2, bare.Length / 2) ? nearest : null);
    }

    /// <summary>Levenshtein's distance, for "did you mean".</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
