namespace WorktreePool.Lifecycle;

/// <summary>
/// The one policy by which slots change state. Every member is pure: it takes a record and facts and returns what shall be.
/// Any path that frees a slot goes through <see cref="BeginClean"/> and <see cref="CompleteClean"/>: there is no light path.
/// </summary>
internal static class SlotLifecycle
{
    /// <summary>Clocks that are gently kept right differ by less than this.</summary>
    private static readonly TimeSpan ClockStep = TimeSpan.FromSeconds(2);

    /// <summary>The longest pause between two retries of a quarantined slot.</summary>
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromHours(1);

    /// <summary>What a claim on <paramref name="host"/> may do with a slot.</summary>
    public static Availability Assess(SlotRecord record, string host, string? wantedCommit, Liveness owner, DateTimeOffset now)
    {
        if (!string.Equals(record.Host, host, StringComparison.Ordinal))
        {
            return Availability.Unavailable;
        }

        return record.State switch
        {
            SlotState.Free => record.Commit == wantedCommit ? Availability.FreeAtTarget : Availability.Free,
            SlotState.Absent => Availability.Absent,
            SlotState.Preparing or SlotState.Cleaning => Availability.InTransit,
            SlotState.Leased when IsDead(record, owner, now) => Availability.Dead,
            SlotState.Quarantined when IsToBeRetried(record.Quarantine, now) => Availability.Retryable,
            _ => Availability.Unavailable,
        };
    }

    /// <summary>Whether a leased slot's lease has ended without a release.</summary>
    public static bool IsDead(SlotRecord record, Liveness owner, DateTimeOffset now) =>
        record is { State: SlotState.Leased, Lease: { } lease } && (owner == Liveness.Dead || lease.ExpiresAt <= now);

    /// <summary>Whether the record was lost, so that nobody knows who holds the slot: its lease has no token that could prove it.</summary>
    public static bool IsLost(SlotRecord record) => record.Lease is { TokenHash: "" };

    /// <summary>Whether a quarantined slot's time has come. A retry further away than any pause lasts means that the clock was set back.</summary>
    private static bool IsToBeRetried(QuarantineRecord? quarantine, DateTimeOffset now) =>
        quarantine is null || quarantine.RetryAt <= now || quarantine.RetryAt - now > LongestBackoff;

    /// <summary>A claim takes the slot: intent is written before the disk is touched.</summary>
    public static SlotRecord BeginClaim(SlotRecord record, LeaseRecord lease, ProcessIdentity worker, DateTimeOffset now) => record with
    {
        State = SlotState.Preparing,
        Epoch = record.Epoch + 1,
        Lease = lease,
        EndedBranch = EndedBranchOf(record),
        Worker = worker,
        Yield = null,
        WorkSaved = MayDiscard(record),
        UpdatedAt = now,
    };

    /// <summary>The claimed slot is ready and becomes its holder's.</summary>
    public static SlotRecord CompleteClaim(SlotRecord record, string admin, string commit, IReadOnlyList<string> healed, DateTimeOffset now) =>
        Ready(record, SlotState.Leased, record.Lease! with { Commit = commit }, admin, commit, healed, now);

    /// <summary>
    /// Somebody starts to clean the slot: its holder who releases it (<paramref name="releasing"/> says how), or whoever takes over
    /// from a dead holder, a crash, or finds a free slot not ready. The epoch grows, so that a former holder's calls are refused.
    /// </summary>
    /// <param name="record">The slot.</param>
    /// <param name="releasing">How its holder releases it; null when nobody does.</param>
    /// <param name="worker">Who cleans it.</param>
    /// <param name="now">Now.</param>
    /// <param name="yields">Whether whoever cleans it gives it up for a claim.</param>
    public static SlotRecord BeginClean(SlotRecord record, ReleaseMode? releasing, ProcessIdentity worker, DateTimeOffset now, bool yields = false) => record with
    {
        State = SlotState.Cleaning,
        Epoch = record.Epoch + 1,
        Lease = record.Lease is { } lease && releasing is not null ? lease with { Releasing = releasing } : record.Lease,
        EndedBranch = EndedBranchOf(record),
        Worker = worker,
        Yield = yields ? SlotYield.WhenAsked : null,
        WorkSaved = releasing == ReleaseMode.Discard || MayDiscard(record),
        UpdatedAt = now,
    };

    /// <summary>A claim asks whoever keeps the slot to give it up.</summary>
    public static SlotRecord AskFor(SlotRecord record, DateTimeOffset now) => record with { Yield = SlotYield.Asked, UpdatedAt = now };

    /// <summary>The keeper gave the slot up in the middle: still being cleaned, by nobody, so that the claim goes on where it was left.</summary>
    public static SlotRecord GiveUp(SlotRecord record, DateTimeOffset now) => record with { Yield = SlotYield.Asked, Worker = null, UpdatedAt = now };

    /// <summary>When a holder is expected to check in next, or its duration lease runs out; null: never.</summary>
    public static DateTimeOffset? DueOf(SlotRecord record) =>
        record is not { State: SlotState.Leased, Lease: { } lease } ? null
        : lease.CheckInEvery is { } every && !(lease.ExpiresAt < lease.CheckedInAt + every) ? lease.CheckedInAt + every
        : lease.ExpiresAt;

    /// <summary>Whether that time has passed.</summary>
    public static bool IsOverdue(SlotRecord record, DateTimeOffset now) => DueOf(record) <= now;

    /// <summary>An overdue check-in has been told of.</summary>
    public static SlotRecord TellOverdue(SlotRecord record, DateTimeOffset now) => record with { Lease = record.Lease! with { OverdueSince = now }, UpdatedAt = now };

    /// <summary>The ended lease's branch is deleted.</summary>
    public static SlotRecord BranchDeleted(SlotRecord record, DateTimeOffset now) => record with { EndedBranch = null, UpdatedAt = now };

    /// <summary>Everything worth keeping is kept.</summary>
    public static SlotRecord SaveWork(SlotRecord record, DateTimeOffset now) => record with { WorkSaved = true, UpdatedAt = now };

    /// <summary>The cleaned slot is ready and nobody's.</summary>
    public static SlotRecord CompleteClean(SlotRecord record, string admin, string commit, IReadOnlyList<string> healed, DateTimeOffset now) =>
        Ready(record, SlotState.Free, null, admin, commit, healed, now);

    /// <summary>
    /// A claim gives the slot back without having made it ready: cancelled, or out of time. It is free but unverified, so the next claim
    /// probes and heals it; a slot that was never made stays absent.
    /// </summary>
    public static SlotRecord Abandon(SlotRecord record, DateTimeOffset now) => record with
    {
        State = record.Admin is null ? SlotState.Absent : SlotState.Free,
        Lease = null,
        EndedBranch = EndedBranchOf(record),
        Worker = null,
        Yield = null,
        WorkSaved = false,
        Commit = null,
        UpdatedAt = now,
    };

    /// <summary>What the pool has put into the slot, or is about to.</summary>
    public static SlotRecord PutIn(SlotRecord record, SetUpRecord setUp, DateTimeOffset now) => record with
    {
        SetUp = setUp is { Copied.Count: 0, Steps.Count: 0 } ? null : setUp,
        UpdatedAt = now,
    };

    /// <summary>Healing failed: the slot is set aside and retried later, ever more rarely.</summary>
    public static SlotRecord SetAside(SlotRecord record, string reason, TimeSpan backoff, DateTimeOffset now)
    {
        int failures = (record.Quarantine?.Failures ?? 0) + 1;
        double pause = Math.Min(backoff.TotalSeconds * Math.Pow(2, failures - 1), LongestBackoff.TotalSeconds);
        return record with
        {
            State = SlotState.Quarantined,
            LastUse = UseOf(record),
            Lease = null,
            EndedBranch = EndedBranchOf(record),
            Worker = null,
            Yield = null,
            WorkSaved = false,
            Commit = null,
            Quarantine = new QuarantineRecord(reason, now + TimeSpan.FromSeconds(pause), failures),
            UpdatedAt = now,
        };
    }

    /// <summary>The holder checks in, or hands over to another owner.</summary>
    /// <param name="record">The leased record.</param>
    /// <param name="owner">Who keeps the lease alive from now on.</param>
    /// <param name="now">Now, UTC.</param>
    /// <param name="uptime">Now by the machine's own clock; null when that does not count.</param>
    public static SlotRecord Renew(SlotRecord record, LeaseOwner owner, DateTimeOffset now, BootTime? uptime = null) => record with
    {
        Lease = Timed(record.Lease! with { Owner = owner, CheckedInAt = now, OverdueSince = null }, now, uptime),
        UpdatedAt = now,
    };

    /// <summary>A lease that begins now: it ends when its owner's duration has passed.</summary>
    public static LeaseRecord Timed(LeaseRecord lease, DateTimeOffset now, BootTime? uptime) => lease with
    {
        ExpiresAt = lease.Owner.Duration is { } duration ? now + duration : null,
        ExpiresAtBootTime = lease.Owner.Duration is { } time && uptime is not null ? uptime with { SinceBoot = uptime.SinceBoot + time } : null,
    };

    /// <summary>
    /// The record with the end of its lease as today's wall clock shows it. It differs from what was written down only when somebody has set the clock since, and
    /// the machine has run on: then what is left of the lease is known by the machine's own clock.
    /// </summary>
    public static SlotRecord AsOf(SlotRecord record, DateTimeOffset now, BootTime? uptime)
    {
        if (record.Lease is not { ExpiresAt: { } written, ExpiresAtBootTime: { } end } lease || uptime is null || end.BootId != uptime.BootId)
        {
            return record;
        }

        DateTimeOffset left = now + (end.SinceBoot - uptime.SinceBoot);
        return (left - written).Duration() < ClockStep ? record : record with { Lease = lease with { ExpiresAt = left } };
    }

    /// <summary>Another holder takes the lease over as it is, work included: the epoch grows, so that the former holder's calls are refused.</summary>
    public static SlotRecord TakeOver(SlotRecord record, LeaseOwner owner, string tokenHash, DateTimeOffset now, BootTime? uptime)
    {
        SlotRecord renewed = Renew(record, owner, now, uptime);
        return renewed with { Epoch = record.Epoch + 1, Lease = renewed.Lease! with { TokenHash = tokenHash } };
    }

    private static SlotRecord Ready(
        SlotRecord record, SlotState state, LeaseRecord? lease, string admin, string commit, IReadOnlyList<string> healed, DateTimeOffset now) => record with
        {
            State = state,
            LastUse = lease is null ? UseOf(record) : record.LastUse,
            SetUp = lease is null ? WithoutCopies(record.SetUp) : record.SetUp,
            Admin = admin,
            Commit = commit,
            Lease = lease,
            EndedBranch = null,
            Worker = null,
            Yield = null,
            WorkSaved = false,
            Quarantine = null,
            LastHeal = healed.Count == 0 ? record.LastHeal : new HealRecord(now, healed),
            UpdatedAt = now,
        };

    /// <summary>What the slot was last held for; a claim that never handed it over has not held it.</summary>
    private static SlotUse? UseOf(SlotRecord record) =>
        record is { State: SlotState.Cleaning, Lease: { } ended } ? new SlotUse(ended.Key, ended.Branch) : record.LastUse;

    /// <summary>A slot that is ready and nobody's has no copied files.</summary>
    private static SetUpRecord? WithoutCopies(SetUpRecord? setUp) => setUp is { Steps.Count: > 0 } ? setUp with { Copied = [] } : null;

    /// <summary>The branch that the lease before leaves behind: known until it is deleted, through crashes and quarantine.</summary>
    private static string? EndedBranchOf(SlotRecord record) => record.EndedBranch ?? record.Lease?.Branch;

    /// <summary>
    /// Whether what lies in the slot may be destroyed without a rescue: a slot that was never made holds nobody's work; a heal that
    /// had saved the work leaves only its own debris; and an owner who released with discard said so, even if the release then crashed.
    /// </summary>
    private static bool MayDiscard(SlotRecord record) =>
        record.State == SlotState.Absent || record.WorkSaved || record.Lease?.Releasing == ReleaseMode.Discard;
}
