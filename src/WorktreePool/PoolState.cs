namespace WorktreePool;

/// <summary>All that a store holds, as read at one moment.</summary>
/// <param name="Pool">The pool's own record.</param>
/// <param name="Slots">The slots' records, by number.</param>
/// <param name="Stamp">Opaque; given to <see cref="ISlotStateStore.WaitForChangeAsync"/> it means "anything newer than this".</param>
public sealed record PoolState(PoolRecord Pool, IReadOnlyList<SlotRecord> Slots, string Stamp);
