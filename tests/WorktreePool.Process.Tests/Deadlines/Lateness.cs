using System.Diagnostics;

namespace WorktreePool.Process.Tests.Deadlines;

/// <summary>
/// How late this machine is: the longest that a short timer came too late while something was measured. On a busy machine every promise of milliseconds
/// is late by as much, and nothing but that may be added to what the pool promises.
/// </summary>
internal sealed class Lateness : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private long _worst;

    public Lateness() => _loop = Task.Run(MeasureAsync);

    /// <summary>An answer comes by way of so many threads, one after the other: the timer's, the one that ends git, the one that looks what is in the way, the caller's.</summary>
    private const int HandOvers = 4;

    /// <summary>What the promise allows: 250 ms, and the machine's own lateness at each hand-over.</summary>
    public TimeSpan Grace => TimeSpan.FromMilliseconds(250) + (HandOvers * TimeSpan.FromTicks(Interlocked.Read(ref _worst)));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task MeasureAsync()
    {
        using var timer = new PeriodicTimer(Tick);
        long before = Stopwatch.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                long now = Stopwatch.GetTimestamp();
                Interlocked.Exchange(ref _worst, Math.Max(_worst, (Stopwatch.GetElapsedTime(before, now) - Tick).Ticks));
                before = now;
            }
        }
        catch (OperationCanceledException)
        {
            // Measured enough.
        }
    }
}
