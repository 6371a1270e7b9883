using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// Removes admin directories of worktrees that are no slots: made by a holder with <c>git worktree add</c>, or half made. The worktree's files stay
/// where they are; the commits its HEAD is at are kept like a stray ref's.
/// </summary>
internal sealed class WorktreeSweeper(RepositoryLayout repository, string slotsDirectory, StrayRescuer rescuer, TimeProvider time)
{
    public async ValueTask<List<Rescue>> SweepAsync(RefSweep sweep, RepositoryUse use, CancellationToken cancellationToken)
    {
        List<Rescue> rescues = [];
        var atWork = new GitAtWork(repository, slotsDirectory);
        foreach (string admin in Directory.EnumerateFileSystemEntries(repository.Worktrees).Where(admin => !IsSlots(admin, use)).ToList())
        {
            string? link = SafeFile.TryRead(Path.Combine(admin, "gitdir"))?.Trim();
            bool isWhole = link is { Length: > 0 } && SafeFile.TryRead(link)?.TrimEnd('\n') == $"gitdir: {admin}";

            // One that lies in a slot goes with what else is in it; any other may be what a live lease works in.
            bool mayBeNeeded = isWhole ? use.Slots.Any(slot => slot.IsHeld && slot.Place.Slot != sweep.Place?.Slot) && !IsInFreeSlot(link!, use) : !atWork.IsStale(admin, time.GetUtcNow());
            if (mayBeNeeded)
            {
                continue;
            }

            if (SafeFile.TryRead(Path.Combine(admin, "HEAD"))?.Trim() is { Length: 40 or 64 } head
                && await rescuer.KeepAsync($"worktrees/{Path.GetFileName(admin)}", head, use.Base?.Commit, sweep, false, cancellationToken).ConfigureAwait(false) is { } rescue)
            {
                rescues.Add(rescue);
            }

            TreeRemoval.Remove(admin);
        }

        return rescues;
    }

    private static bool IsSlots(string admin, RepositoryUse use)
    {
        string? link = SafeFile.TryRead(Path.Combine(admin, "gitdir"))?.Trim();
        return use.Slots.Any(slot => slot.Place.Admin == Path.GetFileName(admin) || slot.Place.Slot == Path.GetFileName(admin) || link == Path.Combine(slot.Place.Path, ".git"));
    }

    private static bool IsInFreeSlot(string link, RepositoryUse use) =>
        use.Slots.Any(slot => !slot.IsHeld && link.StartsWith(slot.Place.Path + Path.DirectorySeparatorChar, StringComparison.Ordinal));
}
