using System.Text.RegularExpressions;
using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Locks of the common directory that stand in the way of the pool's own git. One that is held is waited for; one that a killed git left is removed, for
/// without a person it would stay for ever. Others are reported only. A lock file is not kept open by who holds it, so it counts as left when it is not
/// young and no git is at work anywhere in the repository.
/// </summary>
/// <param name="repository">The repository.</param>
/// <param name="places">Where a git that works in it may stand besides the common directory: the user's checkout, the slots.</param>
/// <param name="time">The clock that a lock's age and the wait are told by.</param>
internal sealed partial class StaleLocks(RepositoryLayout repository, IReadOnlyList<string> places, TimeProvider time)
{
    /// <summary>One whose process cannot be seen, in a container or an editor's own implementation of git, holds a lock no longer than this.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromSeconds(10);

    /// <summary>The pool's own refs are written by nobody else, and by a git that is over in milliseconds.</summary>
    private static readonly TimeSpan YoungOfOwn = TimeSpan.FromSeconds(1);

    /// <summary>How long a lock is waited for: one that was left as the wait began is removed within it.</summary>
    private static readonly TimeSpan Patience = Young + TimeSpan.FromSeconds(1);

    /// <summary>How often one who waits looks. Git has already tried for 100 ms, or a second for packed-refs, when it complains.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly string _own = Path.Combine(repository.CommonDirectory, RepositoryRefs.OwnPrefix);

    /// <summary>Runs git again as often as a lock was in its way that is gone now: given back, or left by a killed git and removed.</summary>
    /// <param name="said">What git said the first time.</param>
    /// <param name="again">Runs it once more.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What git said the last time: a success, or another failure, or of a lock that did not go in time.</returns>
    public async ValueTask<GitResult> PassAsync(GitResult said, Func<ValueTask<GitResult>> again, CancellationToken cancellationToken)
    {
        long since = time.GetTimestamp();
        while (!said.Succeeded && Find(said.Error) is { } path && await TryClearAsync(path, since, cancellationToken).ConfigureAwait(false))
        {
            said = await again().ConfigureAwait(false);
        }

        return said;
    }

    /// <summary>The lock that git complained of; null when it was something else, or none of this repository's.</summary>
    private string? Find(string error) =>
        Refused().Match(error) is { Success: true } refused && refused.Groups[1].Value is var path && path.StartsWith(repository.CommonDirectory + "/", StringComparison.Ordinal) ? path : null;

    /// <summary>False when it did not go in time, or never will.</summary>
    private async ValueTask<bool> TryClearAsync(string path, long since, CancellationToken cancellationToken)
    {
        while (time.GetElapsedTime(since) <= Patience)
        {
            if (!SafeFile.Exists(path) || TryRemove(path))
            {
                return true;
            }

            if (!SafeFile.IsRealFile(path) && SafeFile.Exists(path))
            {
                return false;
            }

            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

    private bool TryRemove(string path)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTime written = File.GetLastWriteTimeUtc(path);
        TimeSpan young = path.StartsWith(_own, StringComparison.Ordinal) ? YoungOfOwn : Young;

        // A clock that was set back makes nothing young for ever. Looking at all processes takes a while: what was made meanwhile is another lock.
        if (!SafeFile.IsRealFile(path) || (now - written).Duration() < young || !places.All(place => new GitAtWork(repository, place).IsStale(path, now)) || File.GetLastWriteTimeUtc(path) != written)
        {
            return false;
        }

        TreeRemoval.Remove(path);
        return true;
    }

    [GeneratedRegex(@"Unable to create '(.+\.lock)': File exists")]
    private static partial Regex Refused();
}
