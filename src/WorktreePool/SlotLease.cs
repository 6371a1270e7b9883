namespace WorktreePool;

/// <summary>The right to use a slot. Disposing it releases the slot in the pool's own mode. Abstract so that a test can make one.</summary>
public abstract class SlotLease : IAsyncDisposable
{
    /// <summary>The slot's name.</summary>
    public abstract string Slot { get; }

    /// <summary>The absolute path of the worktree to work in.</summary>
    public abstract string Path { get; }

    /// <summary>What it was claimed for.</summary>
    public abstract string Key { get; }

    /// <summary>The branch HEAD was put on; null when detached.</summary>
    public abstract string? Branch { get; }

    /// <summary>The commit the slot was handed over at.</summary>
    public abstract string Commit { get; }

    /// <summary>The fencing number.</summary>
    public abstract long Epoch { get; }

    /// <summary>The secret that proves the lease, for another process or after a restart.</summary>
    public abstract LeaseToken Token { get; }

    /// <summary>When it was claimed, UTC.</summary>
    public abstract DateTimeOffset ClaimedAt { get; }

    /// <summary>When it ends unless renewed, UTC; null for a lease that lives as long as a process.</summary>
    public abstract DateTimeOffset? ExpiresAt { get; }

    /// <summary>Whether this is a lease that existed before the call, not a new one.</summary>
    public abstract bool IsAttached { get; }

    /// <summary>The ids of what was wrong with the slot and was healed for this claim.</summary>
    public abstract IReadOnlyList<string> Healed { get; }

    /// <summary>The ids of rescues made for this claim.</summary>
    public abstract IReadOnlyList<string> Rescued { get; }

    /// <summary>How long the claim waited for a slot.</summary>
    public abstract TimeSpan Waited { get; }

    /// <summary>How long the slot's preparation took.</summary>
    public abstract TimeSpan Prepared { get; }

    /// <summary>Cancelled when the lease is found lost: reclaimed, or released by another holder of its token. Stop working in the slot then.</summary>
    public abstract CancellationToken LostToken { get; }

    /// <summary>
    /// The environment for processes that work in the slot: <c>WORKTREE_POOL_SLOT</c>, <c>_PATH</c>, <c>_KEY</c> and <c>_TOKEN</c>. By it they can
    /// attach to the lease, and those left over are known when it ends; see <see cref="LeftoverPolicy"/>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["WORKTREE_POOL_SLOT"] = Slot,
        ["WORKTREE_POOL_PATH"] = Path,
        ["WORKTREE_POOL_KEY"] = Key,
        ["WORKTREE_POOL_TOKEN"] = Token.Value,
    };

    /// <summary>Checks in: extends a duration lease by its duration.</summary>
    /// <param name="cancellationToken">Ends the attempt; the lease is either renewed or as it was.</param>
    /// <exception cref="LeaseLostException">The lease is no longer this holder's.</exception>
    public abstract ValueTask RenewAsync(CancellationToken cancellationToken = default);

    /// <summary>Hands the lease over to another owner; this object stays usable.</summary>
    /// <param name="owner">The new owner.</param>
    /// <param name="cancellationToken">Ends the attempt; the owner is either changed or as it was.</param>
    /// <exception cref="LeaseLostException">The lease is no longer this holder's.</exception>
    public abstract ValueTask TransferAsync(LeaseOwner owner, CancellationToken cancellationToken = default);

    /// <summary>
    /// Gives the slot back: rescues or discards what is in it, and leaves it ready. Within <see cref="WorktreePoolOptions.ReleaseTimeout"/>.
    /// The lease ends in any case: if the pool's state cannot be written now, this process tries again until it can.
    /// </summary>
    /// <param name="mode">What to do with work; null: <see cref="WorktreePoolOptions.ReleaseMode"/>.</param>
    /// <param name="cancellationToken">Ends the cleaning, never the release.</param>
    /// <exception cref="LeaseLostException">The lease is no longer this holder's; nothing was touched.</exception>
    /// <exception cref="ReleaseIncompleteException">
    /// The slot could not be made ready; the next claim or the keeper heals it. The lease has ended, or will: <see cref="ReleaseIncompleteException.HasBegun"/>.
    /// </exception>
    public abstract ValueTask<ReleaseReport> ReleaseAsync(ReleaseMode? mode = null, CancellationToken cancellationToken = default);

    /// <summary>Leaves the lease alive without this object, for <see cref="IWorktreePool.TryAttachAsync"/>: disposing then releases nothing.</summary>
    public abstract void Detach();

    /// <summary>Releases, unless released or detached before. Never throws for a lost lease.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>What a release did.</summary>
/// <param name="Slot">The slot.</param>
/// <param name="Key">What it was held for.</param>
/// <param name="Commit">The commit it was left at.</param>
/// <param name="Rescued">Ids of rescues made.</param>
/// <param name="Cleaned">How long cleaning took.</param>
public sealed record ReleaseReport(string Slot, string Key, string Commit, IReadOnlyList<string> Rescued, TimeSpan Cleaned);
