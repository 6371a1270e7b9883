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

    /// <summary>Claims as many as can be had without waiting for a holder.</summary>
    /// <param name="requests">What is asked for.</param>
    /// <param name="cancellationToken">Ends healing; then nothing of the batch stays claimed.</param>
    ValueTask<BatchClaim> ClaimWhatFitsAsync(IReadOnlyList<ClaimRequest> requests, CancellationToken cancellationToken = default);

    /// <summary>Finds a live lease by its token: after a restart, or in the worker's process.</summary>
    /// <param name="token">The token the claim gave.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>Null when the lease has ended.</returns>
    ValueTask<SlotLease?> TryAttachAsync(LeaseToken token, CancellationToken cancellationToken = default);

    /// <summary>The pool as it is recorded now.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<PoolSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default);

    /// <summary>One pass of the keeper: reclaims dead leases, heals free slots, retries quarantined ones, makes absent ones. Never touches a live lease.</summary>
    /// <param name="cancellationToken">Ends the pass between or within slots; every slot stays healable.</param>
    ValueTask<MaintenanceReport> MaintainAsync(CancellationToken cancellationToken = default);
}
