namespace WorktreePool;

/// <summary>
/// What a pool asks of git, on the one repository the backend was made for. Every verb is cancellable: on cancellation whatever
/// it started is ended with its whole process tree, and the slot is left in a state that <see cref="RepairAsync"/> heals.
/// No policy inside: what to do with a finding is decided by the caller. The conformance suite in WorktreePool.Testing says the rest.
/// </summary>
public interface IGitBackend
{
    /// <summary>The repository's rescues.</summary>
    IRescueArchive Rescues { get; }

    /// <summary>The repository, when it is the pool's own; null when it is a user's, in which nothing is put back and no ref of others is touched.</summary>
    IIsolatedRepository? Isolated { get; }

    /// <summary>Checks that the repository can carry a pool and reads what there is to know about it.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="GitBackendException">There is no repository, or it is bare, empty, or of a kind this backend cannot use; the message says what to do.</exception>
    ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken);

    /// <summary>Takes the repository's present config, hooks and info as the trusted baseline.</summary>
    /// <param name="cancellationToken">Ends the work; then the old baseline stands.</param>
    /// <returns>What changed against the baseline before; empty the first time.</returns>
    ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken);

    /// <summary>What in the repository's config, hooks and info differs from the trusted baseline: cheap enough to be asked with every status.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>None before the first <see cref="TrustAsync"/>. <see cref="InspectAsync"/> finds the same, and more.</returns>
    ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken);

    /// <summary>The full refname, or full commit id, that a configured base means.</summary>
    /// <param name="name">For example <c>origin/main</c>, <c>main</c>, <c>refs/heads/main</c>, or a commit id.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="BaseNotFoundException">Nothing of that name exists.</exception>
    ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken);

    /// <summary>The commit a ref stands at on disk, without any network.</summary>
    /// <param name="reference">A full refname or a full commit id.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <returns>Null when the ref is missing, damaged, or names no commit that exists.</returns>
    ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken);

    /// <summary>
    /// Fetches a tracking ref from the trusted remote and returns its new commit; other refs do not move. Of all pools and processes of the machine one at a time fetches into a
    /// repository; the others wait for their turn, and then fetch what is news.
    /// </summary>
    /// <param name="reference">A full refname under <c>refs/remotes/</c>.</param>
    /// <param name="cancellationToken">Ends the fetch.</param>
    /// <param name="progress">Is told how far it has come, as far as git says; null when nobody asks.</param>
    /// <returns>Null when the ref belongs to no remote of the trusted baseline.</returns>
    /// <exception cref="GitBackendException">The remote could not be reached or has no such branch.</exception>
    ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null);

    /// <summary>Asks the trusted remotes which branches they have now, for the doctor: nothing is fetched and nothing changes.</summary>
    /// <param name="reference">The full name of the pool's base.</param>
    /// <param name="cancellationToken">Ends the questions.</param>
    /// <returns>Tracking refs that stand in the way of what a remote has now, so that git's own fetch fails; and a base that its remote has no more. None without a remote.</returns>
    /// <exception cref="GitBackendException">A remote could not be reached.</exception>
    ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Reads a slot and compares it with what it shall be. Changes nothing, runs nothing that a holder left.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="target">What it shall be.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken);

    /// <summary>Makes the slot what it shall be: detached at the target's commit, clean. Makes an absent slot from <see cref="RepairLevel.Rebuild"/> on.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="commit">A full commit id.</param>
    /// <param name="level">How strongly.</param>
    /// <param name="cancellationToken">Ends the work; the slot stays repairable.</param>
    /// <returns>The name of the slot's admin directory.</returns>
    /// <exception cref="GitBackendException">It could not be done; the message says what stands in the way.</exception>
    ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken);

    /// <summary>Makes a branch at the slot's commit and puts HEAD on it; index and tree do not change.</summary>
    /// <param name="place">A ready slot.</param>
    /// <param name="branch">The short name.</param>
    /// <param name="commit">The commit the slot stands at.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="BranchExistsException">A branch of that name stands elsewhere; nothing changed.</exception>
    ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken);

    /// <summary>Deletes a lease's branch. Its commits must have been rescued before, if they were to be kept. A missing branch is fine.</summary>
    /// <param name="branch">The short name.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken);

    /// <summary>Ends git processes that a dead process of the pool left working in the slot, and removes what it left half-made outside of it.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken);

    /// <summary>Keeps uncommitted work and commits that nothing else keeps, as a commit under <c>refs/worktree-pool/rescue/</c>. Idempotent.</summary>
    /// <param name="place">The slot, in whatever state.</param>
    /// <param name="request">What it is for.</param>
    /// <param name="cancellationToken">Ends the work; the slot is unchanged.</param>
    /// <returns>Null when there is nothing to keep.</returns>
    /// <exception cref="GitBackendException">The work could not be kept; nothing was destroyed.</exception>
    ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken);

    /// <summary>Removes the slot's directory and admin directory.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="cancellationToken">Ends the work; it can be repeated.</param>
    ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken);
}
