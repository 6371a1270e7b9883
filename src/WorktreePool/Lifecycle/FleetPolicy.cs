namespace WorktreePool.Lifecycle;

/// <summary>What hosts may conclude from each other's silence. Pure.</summary>
internal static class FleetPolicy
{
    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(5);

    /// <summary>
    /// For how long after its last check-in a holder may trust its lease: less than the time after which others take it back, so that it has
    /// stopped before they start.
    /// </summary>
    public static TimeSpan TrustAfterCheckIn(TimeSpan hostTimeout) => hostTimeout * 0.75;

    /// <summary>
    /// Until when a holder may trust a lease with a duration: a tenth of it, at most five seconds, before it ends. What the holder knows of the common
    /// clock is as old as the last answer it got, and it must have stopped before others may start.
    /// </summary>
    public static DateTimeOffset TrustUntil(DateTimeOffset expiresAt, TimeSpan duration) =>
        expiresAt - (duration / 10 < LongestMargin ? duration / 10 : LongestMargin);

    /// <summary>How often a holder checks in.</summary>
    public static TimeSpan CheckInInterval(TimeSpan hostTimeout) => hostTimeout / 6;

    /// <summary>
    /// The lease of a silent host ends: its key is free, its epoch has passed, and the slot is left to be cleaned by its own host when that is back,
    /// with what lies in it rescued. No other host can touch its disk.
    /// </summary>
    public static SlotRecord Strand(SlotRecord record, DateTimeOffset now) => record with
    {
        State = SlotState.Cleaning,
        Epoch = record.Epoch + 1,
        Lease = null,
        EndedBranch = record.EndedBranch ?? record.Lease?.Branch,
        Worker = null,
        UpdatedAt = now,
    };

    /// <summary>Hosts with free slots, best first.</summary>
    public static IReadOnlyList<HostState> Capacity(IReadOnlyList<HostState> hosts, string? preferredHost) =>
        [.. hosts
            .Where(host => host.Free > 0)
            .OrderByDescending(host => string.Equals(host.Host, preferredHost, StringComparison.Ordinal))
            .ThenByDescending(host => host.Ready)
            .ThenByDescending(host => host.Free)
            .ThenBy(host => host.Host, StringComparer.Ordinal)];
}
