namespace WorktreePool;

/// <summary>
/// Keeps the records of one pool for many processes. A store is opened on one host and reads that host's slots; when several hosts share
/// a pool, its own record, its history by key and the rule of one lease per key span them all. Implementations hold no lock while a caller runs git:
/// every method is short, except <see cref="WaitForChangeAsync"/> and <see cref="WaitForSlotLockAsync"/>, which hold nothing meanwhile, and the handle of
/// <see cref="TryLockSlotAsync"/>, for which nobody who wants the slot waits. The conformance suite in WorktreePool.Testing says the rest.
/// </summary>
public interface ISlotStateStore : IAsyncDisposable
{
    /// <summary>
    /// The clock by which leases of this store begin and end, when several machines share it and their own clocks may differ;
    /// null: the machine's clock does.
    /// </summary>
    TimeProvider? Clock => null;

    /// <summary>
    /// Whether a call may hold the thread it is made on, for example on a disk that hangs. The pool makes the calls of a claim or a release, which end by
    /// their deadline, on a thread of its own then. Default true; false for what only computes.
    /// </summary>
    bool MayBlock => true;

    /// <summary>Reads the pool's record and this host's slots, as of one moment. A record that cannot be read is an error that names it, or a slot that counts as held; never a silent absence.</summary>
    /// <param name="cancellationToken">Ends the wait; nothing changed.</param>
    /// <exception cref="StateStoreException">The state is unreadable, damaged, or written by a newer version.</exception>
    ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts <paramref name="next"/> in place if the stored version is <paramref name="expectedVersion"/> and, when it has a lease,
    /// no other slot's record, on whichever host, has a lease with that key. Durable when it returns. A slot is known by its host and its name.
    /// </summary>
    /// <param name="expectedVersion">The version the caller read; 0 to create the record.</param>
    /// <param name="next">The new record; its version is ignored and set by the store.</param>
    /// <param name="cancellationToken">Ends the wait; then the change either happened or did not, and the caller must read again.</param>
    /// <exception cref="StateStoreException">The state could not be written; it is as it was, unless the message says that this could not be learned.</exception>
    ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken);

    /// <summary>
    /// The same, and if it is applied one entry is added to the history, as by <see cref="AppendHistoryAsync"/>: in one step where a store can, so that what happened is told though
    /// the process dies. That the history cannot be written never keeps a change from being made: <see cref="StoreResult.HistoryFault"/> says why then.
    /// </summary>
    /// <param name="expectedVersion">The version the caller read; 0 to create the record.</param>
    /// <param name="next">The new record; its version is ignored and set by the store.</param>
    /// <param name="entry">What has happened once the record is in place.</param>
    /// <param name="cancellationToken">As for <see cref="CompareAndSetAsync(long, SlotRecord, CancellationToken)"/>.</param>
    /// <exception cref="StateStoreException">The state could not be written; it is as it was, unless the message says that this could not be learned.</exception>
    async ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, HistoryEntry entry, CancellationToken cancellationToken)
    {
        StoreResult result = await CompareAndSetAsync(expectedVersion, next, cancellationToken).ConfigureAwait(false);
        try
        {
            if (result.Applied)
            {
                await AppendHistoryAsync(entry, cancellationToken).ConfigureAwait(false);
            }

            return result;
        }
        catch (Exception e) when (e is StateStoreException or OperationCanceledException)
        {
            return result with { HistoryFault = e.Message };
        }
    }

    /// <summary>Removes the record of a slot of this host, for shrinking a pool.</summary>
    /// <param name="slot">The slot's name.</param>
    /// <param name="expectedVersion">The version the caller read.</param>
    /// <param name="cancellationToken">As for <see cref="CompareAndSetAsync(long, SlotRecord, CancellationToken)"/>.</param>
    /// <returns>False when the version differs.</returns>
    ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken);

    /// <summary>Puts the pool's own record in place if the stored version is <paramref name="expectedVersion"/>.</summary>
    /// <param name="expectedVersion">The version the caller read; 0 to create it.</param>
    /// <param name="next">The new record; its version is set by the store.</param>
    /// <param name="cancellationToken">As for <see cref="CompareAndSetAsync(long, SlotRecord, CancellationToken)"/>.</param>
    /// <returns>False when the version differs.</returns>
    ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken);

    /// <summary>Waits until something changed after the read that gave <paramref name="stamp"/>. May also return early; must not return late.</summary>
    /// <param name="stamp">From <see cref="PoolState.Stamp"/>.</param>
    /// <param name="cancellationToken">Ends the wait with <see cref="OperationCanceledException"/>.</param>
    ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the working lock of a slot of this host if it is free; never waits. The lock ends when the handle is disposed or the process dies, however it dies.
    /// </summary>
    /// <param name="slot">The slot's name.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Null when another holder, in this process or any other, has it.</returns>
    ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken);

    /// <summary>
    /// Waits for such a lock: for claims that wait for any slot, and take turns by a lock whose name no slot has. In turn with the other processes where the store can; by default it is
    /// tried every five milliseconds.
    /// </summary>
    /// <param name="slot">The lock's name, in the form of a slot's.</param>
    /// <param name="time">The clock that the waits between two tries are told by.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is held then.</param>
    /// <exception cref="StateStoreException">The lock could not be taken.</exception>
    async ValueTask<IAsyncDisposable> WaitForSlotLockAsync(string slot, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await TryLockSlotAsync(slot, cancellationToken).ConfigureAwait(false) is { } held)
            {
                return held;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// What keeps the state from being changed just now, if anything does for longer than a change takes: who holds a lock, since when, what to do.
    /// Takes no lock that it would wait for.
    /// </summary>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <returns>In words, as the middle of a sentence; null when nothing does, or when the store has nothing that could.</returns>
    ValueTask<string?> FindObstacleAsync(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    /// <summary>
    /// The slots of this host that nobody can work on because a process that was stopped holds their working locks: nobody takes a lock from a process that lives.
    /// Takes no lock itself, and may miss a process that cannot be seen.
    /// </summary>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <returns>Who keeps which slot; empty when nobody does, or when the store cannot tell.</returns>
    ValueTask<IReadOnlyList<StoppedWorker>> FindStoppedWorkersAsync(CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<StoppedWorker>>([]);

    /// <summary>Adds one entry to the history. Best effort under power loss: at worst the last entries are lost, never older ones.</summary>
    /// <param name="entry">What happened.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken);

    /// <summary>Reads the history, newest first: of all hosts, but a query for a slot means this host's.</summary>
    /// <param name="query">Which entries.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Drops the oldest entries of the history. May leave it for later while less than a tenth of the history is to go. Never loses an entry that is not to go, nor one that another
    /// process adds meanwhile, whenever the process dies.
    /// </summary>
    /// <param name="before">Entries of an earlier time go.</param>
    /// <param name="limit">About how many bytes may stay; at least 1. A store that has no use for it ignores it.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Whether anything was dropped.</returns>
    ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken);
}
