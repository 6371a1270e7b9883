using System.Threading.Channels;

namespace WorktreePool;

/// <summary>The events of one pool as they happen in this process, from the moment of subscribing; see <see cref="IWorktreePool.Subscribe"/>. Disposing it ends it.</summary>
public interface IPoolSubscription : IDisposable
{
    /// <summary>The events, in the order in which they happened. Completes when the subscription or the pool is disposed.</summary>
    ChannelReader<HistoryEntry> Events { get; }

    /// <summary>How many events were dropped, oldest first, because nobody read them in time.</summary>
    long Dropped { get; }
}
