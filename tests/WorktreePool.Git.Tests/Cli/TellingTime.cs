namespace WorktreePool.Git.Tests.Cli;

/// <summary>The system's time, which tells when somebody begins to wait by it.</summary>
internal sealed class TellingTime : TimeProvider
{
    private readonly TaskCompletionSource _waits = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Waits => _waits.Task;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _waits.TrySetResult();
        return base.CreateTimer(callback, state, dueTime, period);
    }
}
