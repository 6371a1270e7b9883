using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>Says what happened, to subscribers and to the history. A history that cannot be written never fails the operation it tells of.</summary>
internal sealed class PoolJournal(PoolContext context, PoolEvents events)
{
    public async ValueTask WriteAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        events.Publish(entry);
        PoolTelemetry.Count(context.Name, entry);
        try
        {
            await context.Store.AppendHistoryAsync(entry, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StateStoreException or OperationCanceledException)
        {
            PoolLog.HistoryFailed(context.Logger, context.Name, e.Message);
        }
    }

    /// <summary>An entry about one slot, now.</summary>
    public HistoryEntry About(HistoryEvent what, SlotRecord record, string? key, string? detail = null, PreparedSlot? prepared = null) => new()
    {
        At = context.Now,
        Event = what,
        Host = record.Host,
        Slot = record.Slot,
        Key = key,
        Epoch = record.Epoch,
        Detail = detail,
        Findings = prepared?.Healed ?? [],
        Rescued = prepared?.Rescued ?? [],
    };
}
