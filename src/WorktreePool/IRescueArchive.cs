namespace WorktreePool;

/// <summary>The rescued work of one repository. Implemented by git backends; see <see cref="IGitBackend.Rescues"/>.</summary>
public interface IRescueArchive
{
    /// <summary>All rescues, newest first.</summary>
    /// <param name="cancellationToken">Ends the read.</param>
    ValueTask<IReadOnlyList<Rescue>> ListAsync(CancellationToken cancellationToken);

    /// <summary>What a rescue holds, as text: its commit and the difference to its parent.</summary>
    /// <param name="id">See <see cref="Rescue.Id"/>.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="RescueNotFoundException">There is no such rescue.</exception>
    ValueTask<string> ShowAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a branch at the rescued commit; the rescue stays. In an isolated pool the work is fetched into the user's clone and the branch is made there;
    /// without a clone it is made in the pool's repository, which then leaves it alone.
    /// </summary>
    /// <param name="id">See <see cref="Rescue.Id"/>.</param>
    /// <param name="branch">The new branch's short name; it must not exist.</param>
    /// <param name="cancellationToken">Ends the work; then the branch exists wholly or not.</param>
    /// <returns>The common git directory of the repository that has the branch now.</returns>
    /// <exception cref="RescueNotFoundException">There is no such rescue.</exception>
    /// <exception cref="GitBackendException">The branch exists already, or git refused.</exception>
    ValueTask<string> RestoreAsync(string id, string branch, CancellationToken cancellationToken);

    /// <summary>Deletes a rescue.</summary>
    /// <param name="id">See <see cref="Rescue.Id"/>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="RescueNotFoundException">There is no such rescue.</exception>
    ValueTask DropAsync(string id, CancellationToken cancellationToken);
}
