namespace WorktreePool;

/// <summary>
/// A store whose records of this host can move to another store and back, while the slots stay on disk; see <see cref="StateMove"/>, which keeps the order
/// of the steps. A store that has been left, or is being filled, refuses every read and change with a <see cref="StateMovedException"/>.
/// </summary>
public interface IMovableStateStore : ISlotStateStore
{
    /// <summary>The last move that concerned this store and host; null: none ever did.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<MoveMark?> ReadMoveAsync(CancellationToken cancellationToken);

    /// <summary>Makes the store ready to be filled. What an earlier move had left in it no longer counts. Can be repeated.</summary>
    /// <param name="id">The move.</param>
    /// <param name="cancellationToken">Ends the attempt; it can be repeated.</param>
    /// <exception cref="StateStoreException">The store has live records of this host; nothing was changed.</exception>
    ValueTask ExpectAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>In one step: looks that every slot of this host is at rest, and ends the use of the store for this host. Can be repeated.</summary>
    /// <param name="id">The move.</param>
    /// <param name="cancellationToken">Ends the attempt; it can be repeated.</param>
    /// <returns>What moves.</returns>
    /// <exception cref="StateStoreException">A slot is held or worked on; nothing was changed.</exception>
    ValueTask<StatePart> LeaveAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Fills the store and, as the last step of all, begins its use. Can be repeated.</summary>
    /// <param name="id">The move.</param>
    /// <param name="part">What arrives: the pool's own record counts only where the store has none, and history that is there already is not added again.</param>
    /// <param name="cancellationToken">Ends the attempt; it can be repeated.</param>
    ValueTask ArriveAsync(Guid id, StatePart part, CancellationToken cancellationToken);
}

/// <summary>What of a pool's state belongs to one host.</summary>
/// <param name="Pool">The pool's own record.</param>
/// <param name="Slots">The host's slots, all at rest.</param>
/// <param name="History">What happened, oldest first.</param>
public sealed record StatePart(PoolRecord Pool, IReadOnlyList<SlotRecord> Slots, IReadOnlyList<HistoryEntry> History);

/// <summary>What a store remembers of a move.</summary>
/// <param name="Id">The move.</param>
/// <param name="Stage">How far it came here.</param>
public sealed record MoveMark(Guid Id, MoveStage Stage);

/// <summary>How far a move came in one of its two stores.</summary>
public enum MoveStage
{
    /// <summary>The store is to be filled; not in use.</summary>
    Expected,

    /// <summary>The store was filled, and is in use.</summary>
    Arrived,

    /// <summary>The store was left; not in use.</summary>
    Left,
}
