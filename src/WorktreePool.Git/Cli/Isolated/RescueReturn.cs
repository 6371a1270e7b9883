using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>How rescued work leaves an isolated repository: by a fetch into the user's clone, where its owner works.</summary>
internal sealed class RescueReturn(RepositoryLayout repository, IsolatedRepository isolated, IsolatedOrigin origin, KnownRefs known, GitRunner git)
{
    /// <summary>Makes the branch in the user's clone.</summary>
    /// <returns>The clone's common directory; null when there is no clone.</returns>
    /// <exception cref="BranchExistsException">The clone has a branch of that name.</exception>
    public async ValueTask<string?> TryReturnAsync(string id, string branch, CancellationToken cancellationToken)
    {
        // Where the clone is moved or deleted, the pool's repository has all that was rescued.
        if (origin.TryFindClone() is not { } clone)
        {
            return null;
        }

        string reference = $"refs/heads/{branch}";
        GitCall Call(params IReadOnlyList<string> arguments) => new(arguments)
        {
            Subject = clone.CommonDirectory,
            Environment = new Dictionary<string, string> { ["GIT_DIR"] = clone.CommonDirectory },

            // A pack is on the disk when it is there, single objects are not; and the rescue may be dropped next.
            Settings = [.. HermeticSettings.Settings, HermeticSettings.DurableRefs, new("fetch.unpackLimit", "1")],
        };
        if ((await git.TryRunAsync(Call("show-ref", "--verify", "-q", reference), cancellationToken).ConfigureAwait(false)).Succeeded)
        {
            throw new BranchExistsException($"Branch \"{branch}\" exists already in {clone.CommonDirectory} and was left as it is. Choose another name; rescue {id} is still there.");
        }

        // The git that gives what is fetched reads the config there.
        await isolated.RestoreAsync(cancellationToken).ConfigureAwait(false);

        // Without a plus: a branch that is made meanwhile is not moved to a commit that does not follow from it.
        await git.RunAsync(
            Call("fetch", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "--end-of-options", repository.CommonDirectory, $"{RepositoryRefs.RescuePrefix}{id}:{reference}"), cancellationToken).ConfigureAwait(false);
        return clone.CommonDirectory;
    }

    /// <summary>A branch that a person had restored into the pool's repository is no stray.</summary>
    public void Keep(string reference, string commit) => known.Add(reference, commit);

    /// <summary>A ref of the pool's own that is to go.</summary>
    public void Forget(string reference) => known.Remove(reference);
}
