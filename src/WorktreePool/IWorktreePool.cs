namespace WorktreePool;

/// <summary>A pool of ready git worktrees: claim a slot for a key, work in it, release it. Safe for many threads and many processes.</summary>
public interface IWorktreePool : IAsyncDisposable
{
    /// <summary>Claims a slot; waits for one if it must.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="cancellationToken">Ends waiting and healing; nothing stays claimed.</param>
    /// <exception cref="SlotUnavailableException">None could be had in time, or the key is held, or the pool is paused.</exception>
    /// <exception cref="ArgumentException">The key or branch name is not usable; nothing was changed.</exception>
    /// <exception cref="WorktreePoolException">Git or the store failed.</exception>
    ValueTask<SlotLease> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken = default);

    /// <summary>Claims a slot if one can be had without waiting for a holder; healing it may still take until the claim timeout.</summary>
    /// <param name="request">What is asked for; its <see cref="ClaimRequest.Wait"/> is not used.</param>
    /// <param name="cancellationToken">Ends healing; nothing stays claimed.</param>
    ValueTask<ClaimResult> TryClaimAsync(ClaimRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Claims as many as can be had without waiting for a holder, all within <see cref="WorktreePoolOptions.ClaimTimeout"/>. Earlier requests get slots first;
    /// slots are prepared side by side, as many at once as <see cref="WorktreePoolOptions.BatchParallelism"/> says. What becomes of one claim changes nothing for the others.
    /// </summary>
    /// <param name="requests">What is asked for; <see cref="ClaimRequest.Wait"/> is not used. A request that is unusable is a failure of its own.</param>
    /// <param name="cancellationToken">Ends healing; then nothing of the batch stays claimed.</param>
    ValueTask<BatchClaim> ClaimWhatFitsAsync(IReadOnlyList<ClaimRequest> requests, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="ClaimWhatFitsAsync"/>, and gives each result as soon as it is there, in whatever order they come.</summary>
    /// <param name="requests">What is asked for.</param>
    /// <param name="cancellationToken">Ends healing. When the enumeration ends early, by this or by a break, leases that were not given out are released.</param>
    IAsyncEnumerable<BatchClaimItem> StreamWhatFitsAsync(IReadOnlyList<ClaimRequest> requests, CancellationToken cancellationToken = default);

    /// <summary>Finds a live lease by its token: after a restart, or in the worker's process.</summary>
    /// <param name="token">The token the claim gave.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>Null when the lease has ended.</returns>
    ValueTask<SlotLease?> TryAttachAsync(LeaseToken token, CancellationToken cancellationToken = default);

    /// <summary>
    /// The live leases, with owners, notes and whether they are overdue: for a dispatcher that starts again, to resume those whose token it kept
    /// (<see cref="TryAttachAsync"/>), take over or release (<see cref="IPoolOperator.ReleaseAsync"/>) the others.
    /// </summary>
    /// <param name="query">Which.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<IReadOnlyList<SlotSnapshot>> ListLeasesAsync(LeaseQuery query, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes over the lease of a key whose token is lost, with the work in its slot: under a new token and epoch, so that a former holder can do nothing more. For those who
    /// know that the former holder is not to go on.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="owner">Who keeps it alive from now on; null: this process.</param>
    /// <param name="cancellationToken">Ends the attempt; the lease is either taken over or as it was.</param>
    /// <returns>Null when no lease on this host has the key.</returns>
    /// <exception cref="ArgumentException">The key is not usable.</exception>
    ValueTask<SlotLease?> TryTakeOverAsync(string key, LeaseOwner? owner = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Becomes the one dispatcher of a name, unless another process is or the pool is paused. For programs that a scheduler may start twice: they dispatch inside of the gate.
    /// Claims do not ask for it.
    /// </summary>
    /// <param name="name">What is dispatched, for example <c>tickets</c>: 1 to 200 characters.</param>
    /// <param name="wait">How long to queue for a dispatcher that is at work; null or zero: not at all.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The gate, or who is inside, since when and whether it lives, or the pause.</returns>
    /// <exception cref="ArgumentException">The name is not usable.</exception>
    ValueTask<DispatchAttempt> TryEnterDispatchAsync(string name, TimeSpan? wait = null, CancellationToken cancellationToken = default);

    /// <summary>The pool as it is recorded now.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<PoolSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// One pass of the keeper: fetches the base when that is due, reclaims dead leases, heals free slots and brings them to the base, retries quarantined ones,
    /// makes absent ones, tells of overdue check-ins, drops old rescues. Never touches a live lease, and gives a slot up when a claim wants it.
    /// Does nothing while another process is the pool's keeper; the report says which.
    /// </summary>
    /// <param name="cancellationToken">Ends the pass between or within slots; every slot stays healable.</param>
    ValueTask<MaintenanceReport> MaintainAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Keeps the pool: one pass after the other, until cancelled. Of all who keep a pool on a machine one is at work; the others stand by and follow when it ends or its
    /// process dies. A pass that fails is reported and followed by the next.
    /// </summary>
    /// <param name="options">How; null: as configured for the pool (<see cref="KeeperOptions"/>, named as the pool), else the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The report of every pass done here.</returns>
    IAsyncEnumerable<MaintenanceReport> KeepAsync(KeeperOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells of what this pool object does: the entries that it writes to the history, as they happen, and of overdue check-ins that it noticed. What other processes do is
    /// in <see cref="IPoolOperator.GetHistoryAsync"/>. The pool never waits for a reader.
    /// </summary>
    /// <param name="capacity">How many unread events are kept; beyond, the oldest are dropped and counted. At least 1.</param>
    IPoolSubscription Subscribe(int capacity = 256);
}
