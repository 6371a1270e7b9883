namespace WorktreePool;

/// <summary>The order of a pool's slots in <see cref="PoolState"/>: by their number.</summary>
internal static class SlotOrder
{
    /// <summary>Puts records in order, as an array: whoever looks through all of them does so at each claim, and fastest there.</summary>
    public static SlotRecord[] Of(IEnumerable<SlotRecord> records) => [.. records.OrderBy(record => record.Slot, Comparer<string>.Create(Compare))];

    /// <summary>A slot's record among those that are in order; null when it has none.</summary>
    public static SlotRecord? Find(IReadOnlyList<SlotRecord> inOrder, string slot) => IndexOf(inOrder, slot) is >= 0 and var at ? inOrder[at] : null;

    /// <summary>Where a slot's record is among those that are in order; below zero, the complement of where it belongs.</summary>
    public static int IndexOf(IReadOnlyList<SlotRecord> inOrder, string slot)
    {
        (int low, int high) = (0, inOrder.Count - 1);
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int order = Compare(inOrder[middle].Slot, slot);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }

    private static int Compare(string left, string right) =>
        left.Length != right.Length ? left.Length.CompareTo(right.Length) : string.CompareOrdinal(left, right);
}
