namespace WorktreePool;

/// <summary>
/// The repository of an isolated pool: bare, the pool's own, and made anew from its baseline wherever somebody has changed it. Implemented by
/// git backends; see <see cref="IGitBackend.Isolated"/>. Every verb may be called by several processes at once and can be repeated after a crash.
/// </summary>
public interface IIsolatedRepository
{
    /// <summary>Makes the repository, wholly or not at all, and its baseline. One that exists is only compared with the settings.</summary>
    /// <param name="cancellationToken">Ends the work; then there is no repository, and it can be repeated.</param>
    /// <exception cref="PoolConfigurationException">The pool was made over a user's repository, or with another remote; nothing was changed.</exception>
    /// <exception cref="GitBackendException">The clone is none, or the remote cannot be fetched; nothing was made.</exception>
    ValueTask EstablishAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts back what the repository is made of, byte for byte: config, hooks, info, alternates, shallow, HEAD, and refs that are damaged or gone.
    /// What git never has there is removed, and locks when no git is at work. Costs less than a millisecond when nothing has changed.
    /// </summary>
    /// <param name="cancellationToken">Ends the work between two files.</param>
    /// <returns>What was not as it should be.</returns>
    ValueTask<IReadOnlyList<Finding>> RestoreAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts the refs back: removes those that no live lease can own, and moves back what was moved. Commits that nothing else keeps are rescued
    /// first, each ref as a rescue of its own.
    /// </summary>
    /// <param name="sweep">For which slot, and who uses the repository.</param>
    /// <param name="cancellationToken">Ends the work between two refs.</param>
    /// <returns>The rescues made.</returns>
    /// <exception cref="GitBackendException">Commits could not be kept; their refs are still there.</exception>
    ValueTask<IReadOnlyList<Rescue>> SweepAsync(RefSweep sweep, CancellationToken cancellationToken);
}

/// <summary>What a sweep is for.</summary>
/// <param name="Place">The slot that has just been made ready; null when it is for none, as in a keeper's pass.</param>
/// <param name="Key">The key of the lease that has ended; null when none has.</param>
/// <param name="MayDiscard">Whether what was made in that slot may go without a rescue, because its holder said so.</param>
/// <param name="At">Now, UTC.</param>
/// <param name="ReadUse">Reads who uses the repository. Called after the refs were read, and again after some were removed: intents are written before refs are.</param>
public sealed record RefSweep(SlotPlace? Place, string? Key, bool MayDiscard, DateTimeOffset At, Func<CancellationToken, ValueTask<RepositoryUse>> ReadUse);

/// <summary>Who uses an isolated repository at one moment.</summary>
/// <param name="Slots">Its slots.</param>
/// <param name="Base">The base as the pool itself saw it last; null when it never did.</param>
public sealed record RepositoryUse(IReadOnlyList<RepositoryUser> Slots, BaseRecord? Base);

/// <summary>One slot's use of an isolated repository.</summary>
/// <param name="Place">The slot.</param>
/// <param name="IsHeld">Whether a lease has it, or what one left in it is still to be cleaned.</param>
/// <param name="Branches">The short names of the branches that the slot's own lease or cleaning takes care of.</param>
public sealed record RepositoryUser(SlotPlace Place, bool IsHeld, IReadOnlyList<string> Branches);
