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
    /// <exception cref="GitBackendException">It cannot be read in this process.</exception>
    /// <exception cref="LibGit2SharpException">The same.</exception>
    /// <exception cref="IOException">The same.</exception>
    public static PlannedReset Make(RepositoryLayout repository, TrustedIndex trusted, VerifiedIndexes verified, KeepPatterns keep, SlotPlace place, string commit, CancellationToken cancellation)
    {
        var objects = new LazyObjects(repository.CommonDirectory);
        try
        {
            var repair = new InProcessRepair(repository, objects.Value, trusted, verified, keep);
            return new PlannedReset(objects, repair, repair.Plan(place, commit, cancellation));
        }
        catch
        {
            objects.Dispose();
            throw;
        }
    }

    public void Dispose() => _objects.Dispose();
}
