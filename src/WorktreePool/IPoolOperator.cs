namespace WorktreePool;

#pragma warning disable CA1068 // Cancellation, then progress: the order of the Task-based Asynchronous Pattern.

/// <summary>What an operator, rather than a dispatcher, does with a pool.</summary>
public interface IPoolOperator
{
    /// <summary>The repository's rescued work.</summary>
    IRescueArchive Rescues { get; }

    /// <summary>Makes the pool: checks the repository, takes the trusted baseline, makes the configured number of slots. Repeating it changes only what differs; a smaller number removes free slots, never leased ones.</summary>
    /// <param name="cancellationToken">Ends the work; it can be repeated.</param>
    /// <param name="progress">Is told how far it has come; null when nobody asks.</param>
    /// <returns>The pool then: slots beyond the number that had to stay because they are held, and slots that could not be made ready and are quarantined, are in it.</returns>
    /// <exception cref="PoolConfigurationException">A setting is wrong, or a slot's path is taken by something else; nothing was changed.</exception>
    /// <exception cref="GitBackendException">The repository cannot carry a pool; nothing was changed.</exception>
    ValueTask<PoolSnapshot> InitializeAsync(CancellationToken cancellationToken = default, IProgress<PoolProgress>? progress = null);

    /// <summary>Releases the lease of a key, whoever holds it: for the operator, and for scripts that kept no token.</summary>
    /// <param name="key">The key.</param>
    /// <param name="mode">What to do with work; null: the pool's setting.</param>
    /// <param name="cancellationToken">Ends the cleaning, never the release.</param>
    /// <exception cref="LeaseLostException">No live lease has the key.</exception>
    ValueTask<ReleaseReport> ReleaseAsync(string key, ReleaseMode? mode = null, CancellationToken cancellationToken = default);

    /// <summary>Examines every slot and the repository; heals free slots if asked to.</summary>
    /// <param name="fix">Whether to heal slots that nobody holds.</param>
    /// <param name="cancellationToken">Ends the work; every slot stays healable.</param>
    /// <param name="progress">Is told how far it has come; null when nobody asks.</param>
    ValueTask<DoctorReport> ExamineAsync(bool fix, CancellationToken cancellationToken = default, IProgress<PoolProgress>? progress = null);

    /// <summary>No process grants a claim until <see cref="ResumeAsync"/>.</summary>
    /// <param name="reason">In words; may be empty.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask PauseAsync(string reason, CancellationToken cancellationToken = default);

    /// <summary>Ends a pause.</summary>
    /// <param name="cancellationToken">Ends the attempt.</param>
    ValueTask ResumeAsync(CancellationToken cancellationToken = default);

    /// <summary>What happened, newest first.</summary>
    /// <param name="query">Which entries.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<IReadOnlyList<HistoryEntry>> GetHistoryAsync(HistoryQuery query, CancellationToken cancellationToken = default);

    /// <summary>Takes the repository's present config, hooks and info as the new trusted baseline.</summary>
    /// <param name="accept">False: only says what differs.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>What differed from the old baseline.</returns>
    ValueTask<IReadOnlyList<Finding>> TrustAsync(bool accept, CancellationToken cancellationToken = default);
}
