namespace WorktreePool.Settings;

/// <summary>For "did you mean": which of the known words is nearest to what was written.</summary>
internal static class Nearest
{
    /// <summary>The nearest word, in any case; the first of several.</summary>
    public static string To(string written, IEnumerable<string> known) =>
        known.MinBy(word => Distance(word.ToLowerInvariant(), written.ToLowerInvariant()))!;

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
