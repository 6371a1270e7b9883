namespace WorktreePool.Testing;

/// <summary>Moves a clock that stands still, such as a <c>FakeTimeProvider</c>, while what is tested waits for it.</summary>
public static class Clock
{
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// Moves the clock step by step until the task ends, and gives its result. Between two steps whatever is due runs.
    /// <code>SlotLease lease = await Clock.RunAsync(pool.ClaimAsync(request).AsTask(), fakeTime.Advance, TimeSpan.FromMilliseconds(100), atMost: TimeSpan.FromMinutes(2));</code>
    /// </summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="task">What waits.</param>
    /// <param name="advance">Moves the clock, for example <c>FakeTimeProvider.Advance</c>.</param>
    /// <param name="step">How far at once. More than zero.</param>
    /// <param name="atMost">How far altogether.</param>
    /// <exception cref="TimeoutException">The task has not ended by then.</exception>
    public static async Task<T> RunAsync<T>(Task<T> task, Action<TimeSpan> advance, TimeSpan step, TimeSpan atMost)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(advance);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(step, TimeSpan.Zero);
        TimeProvider time = TimeProvider.System;
        for (TimeSpan gone = TimeSpan.Zero; !task.IsCompleted; gone += step)
        {
            if (gone >= atMost)
            {
                throw new TimeoutException($"The task has not ended after {atMost} of the test's time.");
            }

            advance(step);
            await Task.WhenAny(task, Task.Delay(Breath, time)).ConfigureAwait(false);
        }

        return await task.ConfigureAwait(false);
    }
}
