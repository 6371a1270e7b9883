namespace WorktreePool;

/// <summary>The ids of findings. They may only grow: scripts and dashboards rely on them.</summary>
public static class FindingIds
{
    /// <summary>The slot's directory does not exist.</summary>
    public const string SlotMissing = "slot-missing";

    /// <summary>The slot's path is a file, a link, or something else than a directory.</summary>
    public const string SlotNotDirectory = "slot-not-directory";

    /// <summary>The slot's <c>.git</c> file is missing, or does not name the slot's own admin directory.</summary>
    public const string GitLinkBroken = "git-link-broken";

    /// <summary>The slot has no admin directory, or it is no real directory.</summary>
    public const string AdminMissing = "admin-missing";

    /// <summary>The admin directory's <c>gitdir</c> or <c>commondir</c> does not point back.</summary>
    public const string AdminLinkBroken = "admin-link-broken";

    /// <summary>The admin directory holds something that a ready slot does not have: an operation in progress, refs, config, a link.</summary>
    public const string AdminResidue = "admin-residue";

    /// <summary>A lock file was left in the admin directory.</summary>
    public const string LockStale = "lock-stale";

    /// <summary>HEAD is on a branch that was not asked for.</summary>
    public const string OnBranch = "on-branch";

    /// <summary>HEAD is detached at another commit.</summary>
    public const string WrongCommit = "wrong-commit";

    /// <summary>HEAD cannot be read.</summary>
    public const string HeadBroken = "head-broken";

    /// <summary>The index cannot be read.</summary>
    public const string IndexBroken = "index-broken";

    /// <summary>The index differs from the commit's tree.</summary>
    public const string IndexDiffers = "index-differs";

    /// <summary>Index entries are hidden from git: assume-unchanged, skip-worktree, or sparse.</summary>
    public const string IndexHidden = "index-hidden";

    /// <summary>The pool has no index of its own that tells which files are unchanged, so each must be compared.</summary>
    public const string IndexUntrusted = "index-untrusted";

    /// <summary>Tracked files differ from the index.</summary>
    public const string TreeDiffers = "tree-differs";

    /// <summary>There is something in the slot that is not tracked: files, ignored files, empty directories, nested repositories, special files.</summary>
    public const string Untracked = "untracked";

    /// <summary>Something is mounted in the slot, where no keep pattern lets it be.</summary>
    public const string MountInside = "mount-inside";

    /// <summary>A directory of the slot is not writable.</summary>
    public const string NotWritable = "not-writable";

    /// <summary>The slot's directory belongs to another user, so that git refuses to work in it.</summary>
    public const string ForeignOwner = "foreign-owner";

    /// <summary>A submodule is not as recorded.</summary>
    public const string SubmoduleDiffers = "submodule-differs";

    /// <summary>Objects that the target needs are missing or damaged.</summary>
    public const string ObjectsMissing = "objects-missing";

    /// <summary>A process that is not the lease's still works in the slot.</summary>
    public const string ProcessLeft = "process-left";

    /// <summary>The slot could not be examined.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>The slot's record was lost, so that it counts as held.</summary>
    public const string RecordLost = "record-lost";

    /// <summary>A process that works on the slot was stopped.</summary>
    public const string SlotLocked = "slot-locked";

    /// <summary>The repository's config differs from the trusted baseline.</summary>
    public const string ConfigDrift = "config-drift";

    /// <summary>The repository's hooks differ from the trusted baseline.</summary>
    public const string HooksDrift = "hooks-drift";

    /// <summary>The repository's <c>info</c> directory differs from the trusted baseline.</summary>
    public const string InfoDrift = "info-drift";

    /// <summary>The program of a trusted filter, such as git-lfs, is not there: slots are made without it.</summary>
    public const string FilterMissing = "filter-missing";

    /// <summary>A stale lock, or another thing git leaves when it is killed, is in the common directory.</summary>
    public const string RepositoryResidue = "repository-residue";

    /// <summary>The clone is gone from which an isolated repository borrows objects.</summary>
    public const string BorrowedObjectsGone = "borrowed-objects-gone";

    /// <summary>A ref is damaged, or shadows the base.</summary>
    public const string RefsDrift = "refs-drift";

    /// <summary>A process has held the lock of the pool's state for longer than any change takes.</summary>
    public const string StateLocked = "state-locked";
}
