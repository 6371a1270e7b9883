using System.Text.RegularExpressions;
using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Locks of the common directory that a killed git left, and that stand in the way of the pool's own: without a person they would stay for ever. Others
/// are reported only. A lock file is not kept open by who holds it, so it counts as left when it is not young and no git is at work anywhere in the repository.
/// </summary>
/// <param name="repository">The repository.</param>
/// <param name="places">Where a git that works in it may stand besides the common directory: the user's checkout, the slots.</param>
/// <param name="time">The clock that a lock's age is told by.</param>
internal sealed partial class StaleLocks(RepositoryLayout repository, IReadOnlyList<string> places, TimeProvider time)
{
    /// <summary>A git that takes a lock may not be seen yet, or its process may have just ended and its lock be on its way out.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromSeconds(10);

    /// <summary>Removes the lock that git complained of, if it was left.</summary>
    /// <param name="error">What git said.</param>
    /// <returns>Whether git can try again.</returns>
    public bool TryRemove(string error)
    {
        if (Refused().Match(error) is not { Success: true } refused || refused.Groups[1].Value is var path && !path.StartsWith(repository.CommonDirectory + "/", StringComparison.Ordinal))
        {
            return false;
        }

        DateTimeOffset now = time.GetUtcNow();
        if (!SafeFile.IsRealFile(path) || now - File.GetLastWriteTimeUtc(path) < Young || !places.All(place => new GitAtWork(repository, place).IsStale(path, now)))
        {
            return false;
        }

        TreeRemoval.Remove(path);
        return true;
    }

    [GeneratedRegex(@"Unable to create '(.+\.lock)': File exists")]
    private static partial Regex Refused();
}
