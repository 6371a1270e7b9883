using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>Says what happened, to subscribers and to the history. A history that cannot be written never fails the operation it tells of.</summary>
internal sealed class PoolJournal(PoolContext context, PoolEvents events)
{
    public async ValueTask WriteAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        Publish(entry);
        try
        {
            await context.Store.AppendHistoryAsync(entry, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StateStoreException or OperationCanceledException)
        {
            PoolLog.HistoryFailed(context.Logger, context.Name, e.Message);
        }
    }

    /// <summary>The same of an entry that was added to the history with the record, if that was put in place.</summary>
    public void Tell(HistoryEntry entry, StoreResult stored)
    {
        if (!stored.Applied)
        {
            return;
        }

        Publish(entry);
        if (stored.HistoryFault is { } fault)
        {
            PoolLog.HistoryFailed(context.Logger, context.Name, fault);
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

    private void Publish(HistoryEntry entry)
    {
        events.Publish(entry);
        PoolTelemetry.Count(context.Name, entry);
    }
}
