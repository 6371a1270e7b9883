namespace WorktreePool;

/// <summary>
/// Moves one host's part of a pool's state from one store to another; the slots stay where they are on disk. Killed at any moment, it is repeated:
/// at no moment are both stores in use, and at the end exactly the new one is.
/// </summary>
public static class StateMove
{
    /// <summary>Moves.</summary>
    /// <param name="from">The store in use.</param>
    /// <param name="to">The store to use from then on.</param>
    /// <param name="cancellationToken">Ends the move between two steps; it can be repeated.</param>
    /// <returns>How many slots and history entries moved; none when an earlier run had done it.</returns>
    /// <exception cref="StateStoreException">A slot is held or worked on, the new store is in use itself, or one of the two cannot be reached. Nothing was changed, or the message says that the move is to be repeated.</exception>
    public static async ValueTask<StatePart?> RunAsync(IMovableStateStore from, IMovableStateStore to, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        MoveMark? begun = await from.ReadMoveAsync(cancellationToken).ConfigureAwait(false);
        if (begun is { Stage: MoveStage.Expected })
        {
            throw new StateStoreException("The store to move from is itself to be filled by a move that did not end. Nothing was changed. Repeat that move first, then turn back.");
        }

        Guid id = begun is { Stage: MoveStage.Left } ? begun.Id : Guid.NewGuid();
        if (begun is { Stage: MoveStage.Left })
        {
            MoveMark? reached = await to.ReadMoveAsync(cancellationToken).ConfigureAwait(false);
            if (reached == new MoveMark(id, MoveStage.Arrived))
            {
                return null;
            }

            if (reached != new MoveMark(id, MoveStage.Expected))
            {
                throw new StateStoreException("The store to move from was left before, for another store than the one named now. Nothing was changed. Name the store that it was moved to.");
            }
        }
        else
        {
            // So that what would be refused is refused before anything is noted anywhere.
            RequireRest((await from.ReadAsync(cancellationToken).ConfigureAwait(false)).Slots);
            await to.ExpectAsync(id, cancellationToken).ConfigureAwait(false);
        }

        StatePart part = await from.LeaveAsync(id, cancellationToken).ConfigureAwait(false);
        await to.ArriveAsync(id, part, cancellationToken).ConfigureAwait(false);
        return part;
    }

    /// <summary>Refuses a move while a slot is not at rest.</summary>
    /// <param name="slots">The host's slots.</param>
    /// <exception cref="StateStoreException">One is held or worked on.</exception>
    public static void RequireRest(IEnumerable<SlotRecord> slots)
    {
        List<string> busy = [.. slots.Where(record => record.Lease is not null || record.State is SlotState.Preparing or SlotState.Cleaning).Select(record =>
            $"{record.Slot} is {record.State.ToString().ToLowerInvariant()}{(record.Lease is { } lease ? $" for \"{lease.Key}\"" : "")}")];
        if (busy.Count > 0)
        {
            throw new StateStoreException(
                $"The pool's state cannot move while slots are in use, because their holders know the old store only: {string.Join(", ", busy)}. It stays where it was. Pause the pool, let them end or release them, and repeat.");
        }
    }
}
