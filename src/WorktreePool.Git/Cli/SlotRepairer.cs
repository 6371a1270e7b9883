using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Makes a slot what it shall be. Provisioning is the same work on a slot where nothing is there yet.</summary>
internal sealed class SlotRepairer(AdminDirectory admins, WorktreeGit git, WorktreeMaker contents, Submodules submodules, ObjectStore objects, TrustedIndex trusted, KeepPatterns keep)
{
    public async ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken)
    {
        string admin = admins.NameFor(place);
        try
        {
            await objects.RepairAsync(commit, cancellationToken).ConfigureAwait(false);
            if (level != RepairLevel.Recreate)
            {
                Mounts.Refuse(place, keep);
                RemovePipes(place, admin, cancellationToken);
            }

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
                SetAside(place);
                admins.Remove(admin);
                trusted.Forget(place.Slot);
                await RebuildAsync(place, admin, commit, cancellationToken).ConfigureAwait(false);
                RemoveTrash(place);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{place.Slot} could not be repaired ({level}): {e.Message} It is left as it is; nothing outside of it was touched.", e);
        }

        return admin;
    }

    /// <summary>Of each submodule git asks which commit it is at, before any is made anew; at a pipe it would wait for ever.</summary>
    private void RemovePipes(SlotPlace place, string admin, CancellationToken cancellationToken)
    {
        string modules = Path.Combine(admins.PathOf(admin), "modules");
        if (SafeFile.IsRealDirectory(modules) && SafeFile.IsRealDirectory(place.Path))
        {
            Pipes.RemoveBelow(modules);
            GitFiles.RemoveHolding(place.Path, cancellationToken);
        }
    }

    public void Remove(SlotPlace place)
    {
        try
        {
            string admin = admins.NameFor(place);
            SetAside(place);
            RemoveTrash(place);
            admins.Remove(admin);
            trusted.Forget(place.Slot);
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

        // HEAD first: a crash from here on leaves a slot that is off its commit's tree, never one that is still on somebody's branch.
        admins.WriteHead(admin, commit);
        await MakeAsync(place, admin, commit, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask RebuildAsync(SlotPlace place, string admin, string commit, CancellationToken cancellationToken)
    {
        admins.Restore(place, admin, commit);
        await MakeAsync(place, admin, commit, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask MakeAsync(SlotPlace place, string admin, string commit, CancellationToken cancellationToken)
    {
        GitWorktree tree = git.Of(place, admin);
        IReadOnlyDictionary<string, string> recorded = await contents.MakeAsync(tree, commit, cancellationToken).ConfigureAwait(false);
        await submodules.MakeAsync(tree, commit, recorded, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Renames what is at the slot's path, so that the new slot can be made there at once.</summary>
    public static void SetAside(SlotPlace place)
    {
        if (!SafeFile.Exists(place.Path))
        {
            return;
        }

        if (!SafeFile.IsRealDirectory(place.Path))
        {
            File.Delete(place.Path);
            CrashPoint.Reached("slot file deleted");
            return;
        }

        if (IsOurs(place.Path))
        {
            TreeRemoval.MakeWritable(place.Path);
        }

        Directory.Move(place.Path, Path.Combine(Path.GetDirectoryName(place.Path)!, (Mounts.AtOrBelow(place.Path).Any(mount => mount != place.Path) ? MountedName(place.Slot) : TrashName(place.Slot)) + Guid.NewGuid().ToString("N")));
        CrashPoint.Reached("slot moved aside");
    }

    /// <summary>
    /// Removes what was set aside, now or by an earlier repair. What refuses, because it is another user's or immutable, stays: the
    /// slot is ready without it, and the doctor tells of it.
    /// </summary>
    public static void RemoveTrash(SlotPlace place)
    {
        string slots = Path.GetDirectoryName(place.Path)!;
        foreach (string trash in Directory.Exists(slots) ? Directory.EnumerateDirectories(slots, TrashName(place.Slot) + "*").ToList() : [])
        {
            TreeRemoval.TryRemove(trash);
        }
    }

    /// <summary>How the name of a slot's trash begins, beside the slot; <c>*</c> for every slot.</summary>
    public static string TrashName(string slot) => $".{slot}-trash-";

    /// <summary>The same of a slot with something mounted in it. It stays: nobody could look at what the mount covers, and that may be work.</summary>
    public static string MountedName(string slot) => $".{slot}-mounted-";

    private static bool IsOurs(string path) => UnixFiles.OwnerOf(path) is not { } owner || owner == UnixFiles.CurrentUser;
}
