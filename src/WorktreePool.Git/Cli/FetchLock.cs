using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// One fetch into a repository at a time, over all pools and processes of the machine: an operating-system lock on a file in the pools' corner of the common directory, which ends
/// with its process. Whoever holds it takes no other lock, and whoever waits for it does so inside of its own deadline.
/// </summary>
internal sealed class FetchLock(RepositoryLayout repository, TimeProvider time)
{
    /// <summary>How often one who waits tries again. A fetch takes at least some dozen milliseconds.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// The file, which stays: a second one of the same name would be a second lock. Not called .lock, for among git's files that is what a crash leaves, to be removed. Its name also
    /// marks the fetches under the lock, so that one that outlived its process is found by the next.
    /// </summary>
    public string File { get; } = Path.Combine(repository.Scratch, "fetching");

    /// <summary>Waits for the lock, and ends what a killed holder left running.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GitBackendException">There is no place for the lock.</exception>
    public async ValueTask<IDisposable> TakeAsync(CancellationToken cancellationToken)
    {
        FileStream? held;
        while ((held = TryTake()) is null)
        {
            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await OrphanedGit.EndAsync(File, time, cancellationToken).ConfigureAwait(false);
            return held;
        }
        catch
        {
            await held.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private FileStream? TryTake()
    {
        try
        {
            Directory.CreateDirectory(repository.Scratch);
            CrashPoint.Reached("corner for the fetch lock made");
            if (!SafeFile.IsRealDirectory(repository.Scratch) || new FileInfo(File).LinkTarget is not null)
            {
                throw new GitBackendException($"{repository.Scratch} or \"fetching\" in it is a link, and the pool writes through none. Nothing was fetched. Remove it.");
            }

            var held = new FileStream(File, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            CrashPoint.Reached("fetch lock held");
            return held;
        }
        catch (IOException e) when (LockConflict.Is(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{File}, which sees to it that one at a time fetches, cannot be made: {e.Message} Nothing was fetched. Check the directory's rights and the disk.", e);
        }
    }
}
