namespace WorktreePool;

/// <summary>
/// One set-up step of a warm slot, for example <c>npm ci</c>: run in the slot after it is ready and before it is handed over, and only when its
/// definition, its input files, or what it made last time have changed. Steps run in their order; when one must run, all later ones do.
/// </summary>
public sealed class SetUpStep
{
    /// <summary>The step's name, unique in its pool: 1 to 100 characters, no control characters. Required.</summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// The program, by absolute path or by a name that is found on <c>PATH</c>, and its arguments. Run without a shell, in the slot's root. Required.
    /// </summary>
    public IList<string> Command { get; } = [];

    /// <summary>
    /// The tracked files whose content decides whether the step must run again: anchored at the slot's root, <c>*</c> and <c>?</c> within one part, a
    /// whole directory when it ends in a slash; for example <c>/package-lock.json</c>. Default: none, so that the step runs once for each slot.
    /// </summary>
    public IList<string> Inputs { get; } = [];

    /// <summary>
    /// What the step makes, in the form of <see cref="WorktreePoolOptions.Keep"/>, for example <c>/node_modules/</c>. Untracked paths only. They are kept
    /// in the slot as long as they are as the step left them, removed otherwise, and never rescued. Anything else that the step leaves is a failure.
    /// </summary>
    public IList<string> Makes { get; } = [];

    /// <summary>
    /// Variables for the command, on top of the few that every step gets: <c>PATH</c>, <c>HOME</c>, the user's name, locale, time zone, temporary
    /// directory, proxies and certificates of this process, and <c>WORKTREE_POOL_SLOT</c> and <c>WORKTREE_POOL_PATH</c>.
    /// </summary>
    public IDictionary<string, string> Environment { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>After how long the command is killed with all its processes. More than zero; default 30 s. Together, the steps' must be below <see cref="WorktreePoolOptions.ClaimTimeout"/>.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How it is told that what the step made is as it left it. Default: by the status of every file.</summary>
    public MadeCheck Check { get; set; }
}

/// <summary>How it is told that what a set-up step made is still as the step left it.</summary>
public enum MadeCheck
{
    /// <summary>
    /// By the names, kinds, modes, owners, sizes, times of change and inodes of everything in it: whatever a holder writes, adds, removes or renames
    /// there makes the step run again. File contents are not read. A file that is hard-linked elsewhere counts as changed when a link to it comes or goes.
    /// </summary>
    Status,

    /// <summary>Only by being there: for tools that write into it as they work (caches). What a holder changed in it stays for the next one.</summary>
    Presence,
}
