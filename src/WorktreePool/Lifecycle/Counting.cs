namespace WorktreePool.Lifecycle;

/// <summary>Counts a pool's records by state.</summary>
internal static class Counting
{
    public static PoolCounts Count(IReadOnlyCollection<SlotRecord> records)
    {
        int Of(SlotState state) => records.Count(record => record.State == state);
        return new PoolCounts(
            records.Count, Of(SlotState.Free), Of(SlotState.Leased), Of(SlotState.Preparing), Of(SlotState.Cleaning), Of(SlotState.Quarantined), Of(SlotState.Absent));
    }
}
