using WorktreePool.Git.Cli;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>Makes a slot what it shall be, without starting git.</summary>
internal sealed class InProcessRepair(RepositoryLayout repository, ObjectReader objects, TrustedIndex trusted, VerifiedIndexes verified, KeepPatterns keep)
{
    private readonly AdminDirectory _admins = new(repository, SparseCone.Everything);

    /// <summary>What the slot's files shall be at a commit: looks into the repository only.</summary>
    /// <exception cref="GitBackendException">They cannot be made here; the message says why.</exception>
    public Target Plan(SlotPlace place, string commit, CancellationToken cancellation)
    {
        LibGit2Sharp.Tree tree = objects.TreeOf(commit) ?? throw new GitBackendException($"There is no commit {commit} that {place.Slot} could stand at. Nothing was changed. Fetch it.");
        Target target = Target.Read(verified, place.Slot, commit, tree, cancellation);
        RefuseConversions(target.Entries);
        return target;
    }

    /// <summary>Repairs.</summary>
    /// <param name="place">The slot.</param>
    /// <param name="commit">The commit it shall be at.</param>
    /// <param name="target">From <see cref="Plan"/>, for this once.</param>
    /// <param name="level">How strongly.</param>
    /// <param name="readyAt">The commit at which the slot was just found ready; null when it was not.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <param name="move">What was done to a slot that was ready where it was; null when more was done.</param>
    /// <returns>The name of the slot's admin directory.</returns>
    public string Run(SlotPlace place, string commit, Target target, RepairLevel level, string? readyAt, CancellationToken cancellation, out SlotMove? move)
    {
        move = null;
        string admin = _admins.NameFor(place);
        string index = Path.Combine(_admins.PathOf(admin), "index");
        if (level != RepairLevel.Recreate)
        {
            Mounts.Refuse(place, keep);
        }

        try
        {
            switch (level)
            {
                case RepairLevel.Reset:
                    RequireStructure(place, admin, index);
                    _admins.WriteHead(admin, commit);
                    break;
                case RepairLevel.Rebuild:
                    Restore(place, admin, commit, index);
                    break;
                default:
                    SlotRepairer.SetAside(place);
                    _admins.Remove(admin);
                    trusted.Forget(place.Slot);
                    target = target with { Entries = Array.ConvertAll(target.Entries, entry => entry with { Stamp = default }) };
                    Restore(place, admin, commit, index);
                    break;
            }

            bool isReadyWhereItWas = level == RepairLevel.Reset && readyAt is not null && readyAt == target.From;
            var checkout = new Checkout(objects, keep);
            (IndexFile made, FileStamp written) = checkout.Run(place.Path, index, target, isReadyWhereItWas, cancellation);
            verified.Keep(place.Slot, new VerifiedIndex(commit, made, trusted.Keep(place.Slot, commit, made.Bytes, written)));
            SlotRepairer.RemoveTrash(place);
            move = isReadyWhereItWas ? new SlotMove(readyAt!, commit, admin, written, checkout.Written, target.Gone) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{place.Slot} could not be repaired ({level}): {e.Message} It is left as it is; nothing outside of it was touched.", e);
        }

        return admin;
    }

    /// <summary>Whatever was hidden in an index goes with it.</summary>
    private void Restore(SlotPlace place, string admin, string commit, string index)
    {
        _admins.Restore(place, admin, commit);
        TreeRemoval.Remove(index);
    }

    private void RequireStructure(SlotPlace place, string admin, string index)
    {
        Finding? broken = _admins.Examine(place, admin).Find(finding => finding.Id is not (FindingIds.LockStale or FindingIds.AdminResidue or FindingIds.NotWritable));
        if (broken is not null || !SafeFile.IsRealFile(index))
        {
            throw new GitBackendException($"{place.Slot} must be rebuilt: {broken?.ToString() ?? "there is no index"}. It was not changed.");
        }
    }

    private void RefuseConversions(IndexEntry[] target)
    {
        foreach (IndexEntry entry in target)
        {
            if (entry.Path.AsSpan().EndsWith(".gitattributes"u8) && !objects.IsPlainAttributes(entry.Id))
            {
                throw new GitBackendException($"{UnixFiles.Text(entry.Path)} asks for filters, keywords, encodings, or line ends, which this backend cannot write. Nothing was changed. Use UseGit() or UseGitCli().");
            }
        }
    }
}
