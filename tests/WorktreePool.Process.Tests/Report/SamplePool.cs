namespace WorktreePool.Process.Tests.Report;

/// <summary>Snapshots and history of pools that would take long to make.</summary>
internal static class SamplePool
{
    public static readonly DateTimeOffset Now = new(2026, 6, 3, 21, 25, 0, TimeSpan.Zero);

    /// <summary>A pool whose slots are as said, slot after slot.</summary>
    public static PoolSnapshot Of(int slots, Func<int, SlotState> state)
    {
        List<SlotSnapshot> all = [.. Enumerable.Range(0, slots).Select(number => new SlotSnapshot(Record(number, state(number)), Liveness.Alive, false))];
        int Count(SlotState wanted) => all.Count(slot => slot.Record.State == wanted);
        var counts = new PoolCounts(slots, Count(SlotState.Free), Count(SlotState.Leased), Count(SlotState.Preparing), Count(SlotState.Cleaning), Count(SlotState.Quarantined), Count(SlotState.Absent));
        return new PoolSnapshot("agents", "refs/remotes/origin/main", new string('a', 40), null, counts, all);
    }

    public static HistoryEntry Entry(HistoryEvent what, string slot, string? key, int minutesAgo, params string[] findings) =>
        new() { At = Now.AddMinutes(-minutesAgo), Event = what, Slot = slot, Key = key, Findings = findings };

    private static SlotRecord Record(int number, SlotState state) => new()
    {
        Slot = $"slot-{number}",
        Host = "build-1",
        Path = $"/srv/pools/agents/slots/slot-{number}",
        State = state,
        Lease = state != SlotState.Leased ? null : new LeaseRecord
        {
            Key = $"MC-{4600 + number}",
            TokenHash = "x",
            Owner = LeaseOwner.ForProcess(new ProcessIdentity("build-1", "boot", 4711 + number, 1)),
            ClaimedAt = Now.AddMinutes(-12),
            CheckedInAt = Now,
            Metadata = new Dictionary<string, string>(),
        },
        Quarantine = state == SlotState.Quarantined ? new QuarantineRecord("the disk is full. <b>&", Now.AddMinutes(1), 3) : null,
    };
}
