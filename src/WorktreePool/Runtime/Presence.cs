using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// Says that this host lives, when the store is one that several hosts share, and knows for how long the others believe it. A holder that could
/// not check in for that long must stop, for its key may be somebody else's soon. With one machine's store there is nothing to say and no end.
/// </summary>
internal sealed class Presence(PoolContext context)
{
    private readonly IFleetStateStore? _store = context.Store as IFleetStateStore;
    private long _checkedIn;
    private volatile bool _known;

    /// <summary>Whether other hosts share the store, so that it may be out of reach while they go on.</summary>
    public bool IsShared => _store is not null;

    /// <summary>How often to check in; infinite with one machine's store.</summary>
    public TimeSpan Interval => _store is null ? Timeout.InfiniteTimeSpan : FleetPolicy.CheckInInterval(_store.HostTimeout);

    /// <summary>For how much longer leases may be trusted without another check-in; infinite with one machine's store.</summary>
    public TimeSpan Left
    {
        get
        {
            if (_store is null)
            {
                return Timeout.InfiniteTimeSpan;
            }

            TimeSpan trust = FleetPolicy.TrustAfterCheckIn(_store.HostTimeout);
            TimeSpan left = _known ? trust - context.Time.GetElapsedTime(Volatile.Read(ref _checkedIn)) : trust;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Whether leases may no longer be trusted.</summary>
    public bool IsOver => _store is not null && Left == TimeSpan.Zero;

    /// <summary>Checks in, unless that was done a moment ago.</summary>
    public async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        if (_store is null || (_known && context.Time.GetElapsedTime(Volatile.Read(ref _checkedIn)) < Interval / 2))
        {
            return;
        }

        // Counted from before the call: whenever the store noted it, it was not earlier.
        long asked = context.Time.GetTimestamp();
        await _store.CheckInAsync(cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _checkedIn, asked);
        _known = true;
    }
}
