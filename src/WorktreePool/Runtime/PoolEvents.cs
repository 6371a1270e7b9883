using System.Threading.Channels;

namespace WorktreePool.Runtime;

/// <summary>Hands the pool's events to whoever subscribed. Never waits: who does not read in time loses the oldest.</summary>
internal sealed class PoolEvents
{
    private readonly Lock _lock = new();

    /// <summary>Never changed, only replaced: to publish takes no lock, and with no subscriber it costs one read.</summary>
    private volatile Subscription[] _subscriptions = [];
    private bool _closed;

    public bool HasSubscribers => _subscriptions.Length > 0;

    public IPoolSubscription Subscribe(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var subscription = new Subscription(this, capacity);
        lock (_lock)
        {
            if (_closed)
            {
                subscription.Complete();
            }
            else
            {
                _subscriptions = [.. _subscriptions, subscription];
            }
        }

        return subscription;
    }

    public void Publish(HistoryEntry entry)
    {
        foreach (Subscription subscription in _subscriptions)
        {
            subscription.Write(entry);
        }
    }

    /// <summary>Ends every subscription: its reader sees the events it has, then the end.</summary>
    public void Close()
    {
        Subscription[] ended;
        lock (_lock)
        {
            _closed = true;
            ended = _subscriptions;
            _subscriptions = [];
        }

        foreach (Subscription subscription in ended)
        {
            subscription.Complete();
        }
    }

    private void Remove(Subscription subscription)
    {
        lock (_lock)
        {
            _subscriptions = [.. _subscriptions.Where(other => other != subscription)];
        }
    }

    private sealed class Subscription : IPoolSubscription
    {
        private readonly PoolEvents _events;
        private readonly Channel<HistoryEntry> _channel;
        private long _dropped;

        public Subscription(PoolEvents events, int capacity)
        {
            _events = events;
            var options = new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest };
            _channel = Channel.CreateBounded<HistoryEntry>(options, _ => Interlocked.Increment(ref _dropped));
        }

        public ChannelReader<HistoryEntry> Events => _channel.Reader;

        public long Dropped => Interlocked.Read(ref _dropped);

        public void Write(HistoryEntry entry) => _channel.Writer.TryWrite(entry);

        public void Complete() => _channel.Writer.TryComplete();

        public void Dispose()
        {
            _events.Remove(this);
            Complete();
        }
    }
}
