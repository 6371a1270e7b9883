namespace WorktreePool.Cli.Output;

/// <summary>Several slots in a row as one: of 500 slots those that matter must be seen.</summary>
internal static class SlotRange
{
    /// <summary>From so many on it is worth while.</summary>
    public const int Worthwhile = 4;

    /// <summary>How many from a place on are of a kind.</summary>
    public static int Length<T>(IReadOnlyList<T> slots, int from, Func<T, bool> isOfKind)
    {
        int end = from;
        while (end < slots.Count && isOfKind(slots[end]))
        {
            end++;
        }

        return end - from;
    }

    /// <summary>The first one's name and the last one's number.</summary>
    public static string Name(string first, string last) => first == last ? first : $"{first} … {last[(last.LastIndexOf('-') + 1)..]}";
}
