namespace WorktreePool;

/// <summary>
/// The settings of one pool. Names in <c>pool.json</c> and in the environment are these, in any case. Where they come from a configuration that is reloaded, changed times, counts
/// and policies count from the next operation on. What a pool and its slots are made of stays as it was until the restart: the directories, <see cref="Isolated"/>,
/// <see cref="Remote"/>, <see cref="Slots"/>, <see cref="Base"/>, <see cref="RescueLimit"/> and the lists.
/// </summary>
public sealed class WorktreePoolOptions
{
    /// <summary>Longer no release needs, and few hosts leave less.</summary>
    private static readonly TimeSpan LongestDefaultRelease = TimeSpan.FromSeconds(60);

    /// <summary>In less no release can be relied on: then it is an error that nothing is left for it.</summary>
    private static readonly TimeSpan ShortestDefaultRelease = TimeSpan.FromSeconds(5);

    /// <summary>Of what the host leaves for a release, the share that it gets by default.</summary>
    private const double DefaultReleaseShare = 0.9;

    private TimeSpan? _releaseTimeout;

    /// <summary>The repository: its main checkout, or its git directory. Required, unless <see cref="Remote"/> is set; made absolute.</summary>
    public string RepositoryPath { get; set; } = "";

    /// <summary>
    /// Whether the slots belong to a bare repository of the pool's own, <c>repository.git</c> in its directory, instead of the user's. It is restored
    /// to its baseline at every claim and release, so that nobody who works in a slot can change what others work with. For agents that run
    /// arbitrary commands. It fetches from <see cref="Remote"/> and borrows the objects that <see cref="RepositoryPath"/> has. Default: false.
    /// Cannot be changed for a pool that exists.
    /// </summary>
    public bool Isolated { get; set; }

    /// <summary>
    /// The URL that an isolated pool fetches from and its slots push to. Default: that of the remote of <see cref="RepositoryPath"/> (<c>origin</c>, else
    /// the first), or that repository itself when it has none. Only with <see cref="Isolated"/>. Cannot be changed for a pool that exists.
    /// </summary>
    public string? Remote { get; set; }

    /// <summary>The pool's own directory: state, and the slots unless <see cref="SlotsDirectory"/> says otherwise. Required; made absolute.</summary>
    public string PoolDirectory { get; set; } = "";

    /// <summary>Where the slots are made. Default: <c>slots</c> in the pool's directory.</summary>
    public string? SlotsDirectory { get; set; }

    /// <summary>How many slots. 1 to 1,000; default 4.</summary>
    public int Slots { get; set; } = 4;

    /// <summary>The ref slots are reset to. Default: the remote's default branch, else the branch the repository is on.</summary>
    public string? Base { get; set; }

    /// <summary>How long a claim may take, waiting and healing included. More than zero; default 60 s. Below <see cref="HostTaskTimeout"/> when that is set.</summary>
    public TimeSpan ClaimTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How many slots of one batch are prepared at once. 1 to 64; default 4.</summary>
    public int BatchParallelism { get; set; } = 4;

    /// <summary>How long a release may take. More than zero. Default: 60 s, or nine tenths of what <see cref="ClaimTimeout"/> leaves of <see cref="HostTaskTimeout"/> if that is less, but not less than 5 s.</summary>
    public TimeSpan ReleaseTimeout
    {
        get => _releaseTimeout ?? DefaultRelease();
        set => _releaseTimeout = value;
    }

    /// <summary>After how long the host kills the task that claims and releases; null when it does not. <see cref="ClaimTimeout"/> and <see cref="ReleaseTimeout"/> together must be below it.</summary>
    public TimeSpan? HostTaskTimeout { get; set; }

    /// <summary>How long a lease without a process lasts unless renewed. More than zero; default 8 h.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromHours(8);

    /// <summary>What a release does with work when it does not say. Default: rescue.</summary>
    public ReleaseMode ReleaseMode { get; set; } = ReleaseMode.Rescue;

    /// <summary>What happens to processes that still work in a slot when it is cleaned or healed. Default: kill those of the lease, quarantine with others.</summary>
    public LeftoverPolicy LeftoverProcesses { get; set; } = LeftoverPolicy.Kill;

    /// <summary>How many bytes of uncommitted files one rescue may keep. More than zero; default 2 GiB. A slot with more is quarantined, not wiped.</summary>
    public long RescueLimit { get; set; } = 2L << 30;

    /// <summary>How long a rescue is kept before the keeper drops it. More than zero; default 30 days.</summary>
    public TimeSpan RescueRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How many rescues are kept; the keeper drops the oldest beyond. At least 1; default 1,000.</summary>
    public int RescueCount { get; set; } = 1000;

    /// <summary>How long history is kept before the keeper drops it. More than zero; default 90 days.</summary>
    public TimeSpan HistoryRetention { get; set; } = TimeSpan.FromDays(90);

    /// <summary>About how many bytes of history are kept in a file; the keeper drops the oldest beyond. More than zero; default 64 MiB. A database knows <see cref="HistoryRetention"/> only.</summary>
    public long HistoryLimit { get; set; } = 64L << 20;

    /// <summary>How long a quarantined slot waits before its first retry; doubled at every failure, up to an hour. More than zero; default 30 s.</summary>
    public TimeSpan QuarantineBackoff { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether the keeper of this process watches free slots. As long as nothing in one has changed since the keeper verified it, a claim in this process reads
    /// its links, HEAD and objects, but no files, and takes as long for 50,000 of them as for 200. On Linux, on ext4, XFS, Btrfs, F2FS and tmpfs, where slots are
    /// probed in process; needs one inotify watch for each file and directory (<c>fs.inotify.max_user_watches</c>) and an instance for each slot. Where
    /// it cannot be had for certain, after any change, and in other processes everything is read as without it. Default: false.
    /// </summary>
    public bool WatchSlots { get; set; }

    /// <summary>Untracked paths that a clean leaves alone: anchored at the slot's root, directories only when they end in a slash, for example <c>/.cache/</c>.</summary>
    public IList<string> Keep { get; } = [];

    /// <summary>
    /// The directories that slots have, in git's cone mode: each with all below it, besides the files in the root and in the directories above,
    /// for example <c>src</c> or <c>docs/api</c>. Empty, the default: all. A ready slot is sparse by these and hides nothing else. The repository
    /// must have <c>extensions.worktreeConfig</c>, without which no worktree can be sparse by itself.
    /// </summary>
    public IList<string> Sparse { get; } = [];

    /// <summary>
    /// Untracked files that every claim finds copied from the main checkout, for example <c>/.env</c>: anchored at its root, no patterns. Copied anew for
    /// every claim and removed when it ends; never rescued. Each must be a regular file there, reached through no link, and must not be tracked.
    /// </summary>
    public IList<string> Copy { get; } = [];

    /// <summary>What is run in a slot after it is ready and before it is handed over, only when needed. Comes from here alone, never from a slot. Default: nothing.</summary>
    public IList<SetUpStep> SetUp { get; } = [];

    /// <summary>Where settings come from, by their names in any case, for messages only: filled by what reads them from files and environment. Default: nothing, as for settings made in code.</summary>
    public IDictionary<string, string> Sources { get; private set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>A copy that shares the lists.</summary>
    /// <param name="sources">Where its settings come from.</param>
    internal WorktreePoolOptions With(IDictionary<string, string> sources)
    {
        var copy = (WorktreePoolOptions)MemberwiseClone();
        copy.Sources = sources;
        return copy;
    }

    private TimeSpan DefaultRelease()
    {
        TimeSpan left = HostTaskTimeout is { } host ? (host - ClaimTimeout) * DefaultReleaseShare : LongestDefaultRelease;
        return left > LongestDefaultRelease ? LongestDefaultRelease : left < ShortestDefaultRelease ? ShortestDefaultRelease : left;
    }
}
