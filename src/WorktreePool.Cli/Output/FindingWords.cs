namespace WorktreePool.Cli.Output;

/// <summary>Each finding in words: what it means, and what a fix does about it.</summary>
internal static class FindingWords
{
    private const string Links = "makes the links anew from the pool's own record; the files are kept";
    private const string Reset = "keeps the work first, then puts HEAD, index and files back to the base";
    private const string Rebuild = "keeps what can be read, then makes the slot anew";
    private const string Accept = "nothing, it is yours to judge: undo it, or accept it with worktree-pool trust";

    private static readonly Dictionary<string, (string Meaning, string Remedy)> Words = new()
    {
        [FindingIds.SlotMissing] = ("The slot's directory is gone.", "makes the slot anew"),
        [FindingIds.SlotNotDirectory] = ("Where the slot's directory belongs there is a file or a link.", "removes it, not what it leads to, and makes the slot anew"),
        [FindingIds.GitLinkBroken] = ("The slot's .git file is missing or names another place.", Links),
        [FindingIds.AdminMissing] = ("Git's own directory for this worktree is gone.", Rebuild),
        [FindingIds.AdminLinkBroken] = ("Git's own directory for this worktree does not point back to the slot.", Links),
        [FindingIds.AdminResidue] = ("An operation was left in progress (a merge, a rebase, …), or something that does not belong there.", "ends the operation and keeps what it had"),
        [FindingIds.LockStale] = ("A git that was killed left a lock.", "removes it: whoever holds the slot's working lock knows that no git of the pool runs there"),
        [FindingIds.OnBranch] = ("HEAD is on a branch that nobody asked for.", "detaches HEAD; the branch stays"),
        [FindingIds.WrongCommit] = ("HEAD is at another commit than the base.", Reset),
        [FindingIds.HeadBroken] = ("HEAD cannot be read.", Rebuild),
        [FindingIds.IndexBroken] = ("The index cannot be read.", "makes the index anew; changed files are kept first"),
        [FindingIds.IndexDiffers] = ("Something is staged.", Reset),
        [FindingIds.IndexHidden] = ("Files are hidden from git (assume-unchanged, skip-worktree, sparse).", "makes the index anew, so that every file is compared"),
        [FindingIds.IndexUntrusted] = ("The index is not the one that the pool itself wrote.", "compares every file and writes the index anew"),
        [FindingIds.TreeDiffers] = ("Tracked files were changed, moved or deleted.", Reset),
        [FindingIds.Untracked] = ("There are files, directories or repositories that are not tracked.", "keeps them first, then removes them"),
        [FindingIds.MountInside] = ("Something is mounted in the slot.", "keeps the slot's own work, then makes the slot anew beside it; what is mounted stays untouched"),
        [FindingIds.NotWritable] = ("A directory may not be written.", "makes it writable"),
        [FindingIds.ForeignOwner] = ("Something belongs to another user.", "what it can as this user; else change the owner, or run as that user"),
        [FindingIds.SubmoduleDiffers] = ("A submodule is not as recorded.", "keeps its work first, then puts it back"),
        [FindingIds.ObjectsMissing] = ("Git objects are missing or damaged.", "fetches what it can; else the repository needs repair (git fsck)"),
        [FindingIds.ProcessLeft] = ("A process still works in the slot.", "what the setting leftoverProcesses says"),
        [FindingIds.Unreadable] = ("The slot could not be examined.", Rebuild),
        [FindingIds.RecordLost] = ("What is recorded of the slot was lost, so nobody knows who holds it.", "nothing: release it when nobody works in it, and its work is kept"),
        [FindingIds.SlotLocked] = ("A process that works on the slot was stopped, and keeps it.", "nothing: let the process go on, or end it"),
        [FindingIds.ConfigDrift] = ("The repository's config is not as it was when it was trusted.", Accept),
        [FindingIds.HooksDrift] = ("The repository's hooks are not as they were when they were trusted.", Accept),
        [FindingIds.InfoDrift] = ("The repository's info directory is not as it was when it was trusted.", Accept),
        [FindingIds.FilterMissing] = ("Files are not as their filter would write them, because its program is not there.", "nothing: install the program, and slots are made anew"),
        [FindingIds.RepositoryResidue] = ("A git that was killed left something in the repository, or one is at work.", "nothing, for it may be yours: delete it when no git runs there"),
        [FindingIds.StateLocked] = ("A process has held the lock of the pool's state for longer than any change takes: nobody can claim or release.", "tells it to continue if it is stopped; else end it, and never delete the lock file"),
        [FindingIds.BorrowedObjectsGone] = ("The clone whose objects the pool's own repository borrows is gone.", "fetches what slots need from the remote"),
        [FindingIds.RefsDrift] = ("A ref is damaged, new, gone, or in the way of the base.", "nothing, refs are yours; the pool does not use it"),
    };

    /// <summary>What a finding means and what a fix does; for an id of a newer library, little.</summary>
    public static (string Meaning, string Remedy) Of(string id) =>
        Words.GetValueOrDefault(id, ("Not ready, in a way this version of the command has no words for.", "what the library knows to do"));
}
