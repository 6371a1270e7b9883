using System.Diagnostics.Metrics;
using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// What a pool looks like when metrics are collected: slots by state, overdue leases, the age of the base. Reads the pool's state then, and only then; a store
/// that does not answer at once is read in the background, and the collection gets what was read last.
/// </summary>
internal sealed class PoolGauges : IDisposable
{
    private readonly PoolContext _context;
    private readonly Meter _meter = new(PoolTelemetry.Name);
    private PoolState? _last;
    private Task? _reading;

    public PoolGauges(PoolContext context)
    {
        _context = context;
        _meter.CreateObservableUpDownCounter("worktreepool.slot.count", CountSlots, "{slot}", "How many slots are in which state.");
        _meter.CreateObservableUpDownCounter("worktreepool.lease.overdue", CountOverdue, "{lease}", "How many holders have not checked in in time.");
        _meter.CreateObservableGauge("worktreepool.base.age", MeasureBase, "s", "How long ago the pool's base was last fetched.");
    }

    public void Dispose() => _meter.Dispose();

    private KeyValuePair<string, object?> Pool => new("worktreepool.pool.name", _context.Name);

    private IEnumerable<Measurement<long>> CountSlots() => Read() is not { } state ? [] : Enum.GetValues<SlotState>()
        .Select(word => new Measurement<long>(state.Slots.Count(slot => slot.State == word), Pool, new("worktreepool.slot.state", PoolTelemetry.Word(word.ToString()))));

    private IEnumerable<Measurement<long>> CountOverdue() => Read() is not { } state ? [] : [new(state.Slots.Count(slot => SlotLifecycle.IsOverdue(slot, _context.Now)), Pool)];

    private IEnumerable<Measurement<double>> MeasureBase() => Read()?.Pool.Base?.FetchedAt is not { } fetched ? [] : [new((_context.Now - fetched).TotalSeconds, Pool)];

    private PoolState? Read()
    {
        if (_reading is not { IsCompleted: false })
        {
            _reading = ReadAsync();
        }

        return _last;
    }

    private async Task ReadAsync()
    {
        try
        {
            _last = await _context.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StateStoreException or ObjectDisposedException)
        {
            _last = null;
        }
    }
}
