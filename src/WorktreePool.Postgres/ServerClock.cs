namespace WorktreePool.Postgres;

/// <summary>
/// The database's clock as last heard, carried on by this machine's monotonic time: all hosts agree on it, and a machine whose
/// own clock is wrong or jumps changes nothing. It lags by no more than one answer took.
/// </summary>
internal sealed class ServerClock(TimeProvider local) : TimeProvider
{
    private Reading? _last;

    public override TimeZoneInfo LocalTimeZone => local.LocalTimeZone;

    public override long TimestampFrequency => local.TimestampFrequency;

    /// <summary>Called with what the database just said.</summary>
    public void Hear(DateTimeOffset now) => Volatile.Write(ref _last, new Reading(now, local.GetTimestamp()));

    /// <summary>The machine's own clock until the database has been heard.</summary>
    public override DateTimeOffset GetUtcNow() =>
        Volatile.Read(ref _last) is { } last ? last.Now + local.GetElapsedTime(last.Timestamp) : local.GetUtcNow();

    public override long GetTimestamp() => local.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        local.CreateTimer(callback, state, dueTime, period);

    private sealed record Reading(DateTimeOffset Now, long Timestamp);
}
