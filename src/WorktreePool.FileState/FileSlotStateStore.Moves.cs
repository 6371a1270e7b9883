using System.Text.Json;

namespace WorktreePool.FileState;

/// <summary>How the state leaves these files for another store, and comes back.</summary>
internal sealed partial class FileSlotStateStore
{
    public ValueTask<MoveMark?> ReadMoveAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_move.Read());
    }

    public async ValueTask ExpectAsync(Guid id, CancellationToken cancellationToken) =>
        await AloneAsync(
            held =>
            {
                MoveMark? mark = _move.Read();
                if (mark is null or { Stage: MoveStage.Arrived } && mark?.Id != id && _files.Mend(held, null, TellRestored).Slots.Count is > 0 and var slots)
                {
                    throw new StateStoreException(
                        $"{_files.StateDirectory} has the records of {slots} slots that are in use. Nothing was changed. The pool is there already; to use it, set the store to files.");
                }

                _move.Write(held, new MoveMark(id, MoveStage.Expected));
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public ValueTask<StatePart> LeaveAsync(Guid id, CancellationToken cancellationToken) =>
        AloneAsync(
            held =>
            {
                PoolState state = _files.Mend(held, null, TellRestored);
                var left = new MoveMark(id, MoveStage.Left);
                if (_move.Read() != left)
                {
                    StateMove.RequireRest(state.Slots);
                    _move.Write(held, left);
                }

                return new StatePart(state.Pool, state.Slots, _history.ReadAll());
            },
            cancellationToken);

    public async ValueTask ArriveAsync(Guid id, StatePart part, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(part);
        await AloneAsync(
            held =>
            {
                var arrived = new MoveMark(id, MoveStage.Arrived);
                if (_move.Read() != arrived)
                {
                    Fill(held, part);
                    _move.Write(held, arrived);
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private void Fill(StoreLock.Held held, StatePart part)
    {
        PoolState state = _files.Mend(held, null, TellRestored);

        // What was left here, or half filled, must not count as the later version of what arrives.
        foreach (SlotRecord stale in state.Slots)
        {
            state = _files.DeleteSlot(held, state, stale.Slot);
        }

        foreach (SlotRecord slot in part.Slots)
        {
            RequireName(slot.Slot);
            state = _files.WriteSlot(held, state, slot, StateFiles.Write(slot), isUrgent: true);
        }

        if (part.Pool.Version > 0)
        {
            _files.WritePool(held, state, part.Pool);
        }

        HashSet<string> told = [.. _history.ReadAll().Select(TextOf)];
        foreach (HistoryEntry entry in part.History.Where(entry => told.Add(TextOf(entry))))
        {
            _history.Append(entry);
        }
    }

    private static string TextOf(HistoryEntry entry) => JsonSerializer.Serialize(entry, HistoryJson.Default.HistoryEntry);
}
