using System.Diagnostics;

namespace WorktreePool.Process.Tests.Deadlines;

/// <summary>
/// What the machine withholds: a thread of its own, which nothing in this process can hold up, wakes up again and again, and whatever it wakes up too late
/// by is time that the machine gave to others. On a busy machine every promise of milliseconds is late by as much, and nothing but that is allowed for.
/// </summary>
internal sealed class Lateness : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private readonly ManualResetEvent _stop = new(false);
    private readonly List<(long End, TimeSpan Late)> _ticks = [];
    private readonly Lock _lock = new();
    private readonly Thread _thread;

    public Lateness()
    {
        _thread = new Thread(Measure) { IsBackground = true, Name = "lateness" };
        _thread.Start();
    }

    /// <summary>How much was withheld since a moment, as <see cref="Stopwatch.GetTimestamp"/> gave it.</summary>
    public TimeSpan Since(long moment)
    {
        lock (_lock)
        {
            return _ticks.Where(tick => tick.End > moment)
                .Select(tick => Stopwatch.GetElapsedTime(moment, tick.End) is var whole && whole < tick.Late ? whole : tick.Late)
                .Aggregate(TimeSpan.Zero, (sum, late) => sum + late);
        }
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Measure()
    {
        long before = Stopwatch.GetTimestamp();
        while (!_stop.WaitOne(Tick))
        {
            long now = Stopwatch.GetTimestamp();
            TimeSpan late = Stopwatch.GetElapsedTime(before, now) - Tick;
            lock (_lock)
            {
                _ticks.Add((now, late > TimeSpan.Zero ? late : TimeSpan.Zero));
            }

            before = now;
        }
    }
}
