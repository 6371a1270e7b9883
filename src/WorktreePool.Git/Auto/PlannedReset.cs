using LibGit2Sharp;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Auto;

/// <summary>
/// What a reset takes from the repository, read before it is known whether it comes to that: while the slot is looked at where it stands, and while what is meant to be done
/// to it is brought to the disk. Looks into the repository only.
/// </summary>
internal sealed class PlannedReset : IDisposable
{
    private readonly LazyObjects _objects;

    private PlannedReset(LazyObjects objects, InProcessRepair repair, Target target) => (_objects, Repair, Target) = (objects, repair, target);

    /// <summary>Does the reset.</summary>
    public InProcessRepair Repair { get; }

    /// <summary>For one reset.</summary>
    public Target Target { get; }

    /// <summary>Reads it.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="trusted">The pool's indexes.</param>
    /// <param name="verified">Those of them that this process knows.</param>
    /// <param name="keep">What a reset leaves alone.</param>
    /// <param name="place">The slot.</param>
    /// <param name="commit">Where it shall go.</param>
    /// <param name="isEnough">Whether nobody has time for contents any more.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="GitBackendException">It cannot be read in this process.</exception>
    /// <exception cref="LibGit2SharpException">The same.</exception>
    /// <exception cref="IOException">The same.</exception>
    public static PlannedReset Make(RepositoryLayout repository, TrustedIndex trusted, VerifiedIndexes verified, KeepPatterns keep, SlotPlace place, string commit, Func<bool> isEnough, CancellationToken cancellation)
    {
        var objects = new LazyObjects(repository.CommonDirectory);
        try
        {
            var repair = new InProcessRepair(repository, objects.Value, trusted, verified, keep);
            Target target = repair.Plan(place, commit, cancellation);
            return new PlannedReset(objects, repair, target with { Contents = ReadAhead.Read(objects.Value, target.Entries, () => cancellation.IsCancellationRequested || isEnough()) });
        }
        catch
        {
            objects.Dispose();
            throw;
        }
    }

    public void Dispose() => _objects.Dispose();
}
