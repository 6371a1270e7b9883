using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Makes a slot what it shall be. Provisioning is the same work on a slot where nothing is there yet.</summary>
internal sealed class SlotRepairer(AdminDirectory admins, SlotGit slots, SlotProber prober, KeepPatterns keep)
{
    public async ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken)
    {
        string admin = admins.NameFor(place);
        try
        {
            if (level == RepairLevel.Reset)
            {
                await ResetAsync(place, admin, commit, cancellationToken).ConfigureAwait(false);
            }
            else if (level == RepairLevel.Rebuild)
            {
                await RebuildAsync(place, admin, commit, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                string? aside = SetAside(place);
                admins.Remove(admin);
                await RebuildAsync(place, admin, commit, cancellationToken).ConfigureAwait(false);
                if (aside is not null)
                {
                    TreeRemoval.Remove(aside);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{place.Slot} could not be repaired ({level}): {e.Message} It is left as it is; nothing outside of it was touched.", e);
        }

        return admin;
    }

    public void Remove(SlotPlace place)
    {
        try
        {
            string admin = admins.NameFor(place);
            if (SetAside(place) is { } aside)
            {
                TreeRemoval.Remove(aside);
            }

            admins.Remove(admin);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{place.Slot} could not be removed: {e.Message} Repeat when what stands in the way is gone.", e);
        }
    }

    private async ValueTask ResetAsync(SlotPlace place, string admin, string commit, CancellationToken cancellationToken)
    {
        // A slot that is a link, or whose links are wrong, would lead git's writes to another place.
        if (admins.Examine(place, admin).Find(finding => finding.Id is not (FindingIds.LockStale or FindingIds.AdminResidue or FindingIds.NotWritable)) is { } broken)
        {
            throw new GitBackendException($"{place.Slot} must be rebuilt: {broken}. It was not changed.");
        }

        TrackedPaths tracked = await prober.ReadIndexAsync(place, admin, null, cancellationToken).ConfigureAwait(false)
            ?? throw new GitBackendException($"{place.Slot} has no readable index; it must be rebuilt.");
        Clean(place, tracked, cancellationToken);

        // HEAD first: a crash from here on leaves a slot that is off its commit's tree, never one that is still on somebody's branch.
        admins.WriteHead(admin, commit);

        // Files that were only touched are not written again, so that modification times survive.
        await slots.TryRunAsync(place, admin, cancellationToken, "update-index", "-q", "--really-refresh").ConfigureAwait(false);
        await slots.RunAsync(place, admin, cancellationToken, "read-tree", "--reset", "-u", commit).ConfigureAwait(false);
    }

    private async ValueTask RebuildAsync(SlotPlace place, string admin, string commit, CancellationToken cancellationToken)
    {
        admins.Restore(place, admin, commit);
        TreeRemoval.Remove(Path.Combine(admins.PathOf(admin), "index"));
        await slots.RunAsync(place, admin, cancellationToken, "read-tree", commit).ConfigureAwait(false);
        TrackedPaths tracked = await prober.ReadIndexAsync(place, admin, null, cancellationToken).ConfigureAwait(false)
            ?? throw new GitBackendException($"The index of {place.Slot} could not be rebuilt at {commit}.");
        Clean(place, tracked, cancellationToken);

        // Fresh stat data for what is unchanged, so that only what differs is written again and modification times survive.
        await slots.TryRunAsync(place, admin, cancellationToken, "update-index", "-q", "--really-refresh").ConfigureAwait(false);
        foreach (string odd in await prober.OddLineEndsAsync(place, admin, tracked, cancellationToken).ConfigureAwait(false))
        {
            File.Delete(Path.Combine(place.Path, odd));
        }

        await slots.RunAsync(place, admin, cancellationToken, "read-tree", "--reset", "-u", commit).ConfigureAwait(false);
    }

    /// <summary>Removes everything that is not tracked and not kept.</summary>
    private void Clean(SlotPlace place, TrackedPaths tracked, CancellationToken cancellationToken)
    {
        TreeFacts facts = TreeWalk.Run(place.Path, tracked, keep, cancellationToken);
        if (facts.NotWritable.Count > 0)
        {
            foreach (string directory in facts.NotWritable)
            {
                TreeRemoval.MakeWritable(Path.Combine(place.Path, directory));
            }

            // What was below a closed directory was not seen.
            facts = TreeWalk.Run(place.Path, tracked, keep, cancellationToken);
        }

        foreach (string path in facts.Untracked)
        {
            cancellationToken.ThrowIfCancellationRequested();
            TreeRemoval.Remove(Path.Combine(place.Path, path));
        }
    }

    /// <summary>Renames what is at the slot's path, so that the new slot can be made there at once; null when nothing is there.</summary>
    public static string? SetAside(SlotPlace place)
    {
        if (!SafeFile.Exists(place.Path))
        {
            return null;
        }

        if (!SafeFile.IsRealDirectory(place.Path))
        {
            File.Delete(place.Path);
            return null;
        }

        string aside = Path.Combine(Path.GetDirectoryName(place.Path)!, $".{place.Slot}-trash-{Guid.NewGuid():N}");
        TreeRemoval.MakeWritable(place.Path);
        Directory.Move(place.Path, aside);
        return aside;
    }
}
