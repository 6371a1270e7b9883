namespace WorktreePool.Tests.Runtime;

/// <summary>A clock whose wall time can be set, as an operator or NTP sets it, while the monotonic time and the timers go on as they were.</summary>
internal sealed class LeapingTime(TimeProvider steady) : TimeProvider
{
    private TimeSpan _leapt;

    public override long TimestampFrequency => steady.TimestampFrequency;

    public void Leap(TimeSpan by) => _leapt += by;

    public override DateTimeOffset GetUtcNow() => steady.GetUtcNow() + _leapt;

    public override long GetTimestamp() => steady.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => steady.CreateTimer(callback, state, dueTime, period);
}
