namespace WorktreePool.Runtime;

/// <summary>Builds refusals: each with counts, who holds what, and the setting to change.</summary>
internal sealed class Refusals(PoolContext context)
{
    /// <summary>Of so many slots that are set aside the reason is told.</summary>
    private const int NamedSlots = 3;

    public ClaimRefusal Paused(ClaimRequest request, PoolState state) => Build(request, state, RefusalReason.Paused, null,
        $"Pool \"{context.Name}\" is paused since {state.Pool.Paused!.Since:u}{(state.Pool.Paused.Reason.Length > 0 ? $": {state.Pool.Paused.Reason}" : "")}. No claim is granted until worktree-pool resume.");

    public ClaimRefusal LeaseLost(ClaimRequest request, PoolState state) => Build(request, state, RefusalReason.LeaseLost, null,
        $"The token given for \"{request.Key}\" proves no live lease: it was released, or reclaimed because its owner was gone or its time ran out. Claim again without the token.");

    public ClaimRefusal KeyHeld(ClaimRequest request, PoolState state, SlotRecord record)
    {
        SlotHolder holder = HolderOf(record)!;
        string life = holder.Liveness switch
        {
            Liveness.Alive => "which is alive",
            Liveness.Dead => "which is dead",
            _ when record.Lease!.ExpiresAt is { } end => $"until {end:u} unless renewed",
            _ => "which cannot be seen from here",
        };
        string doing = record.State switch
        {
            SlotState.Preparing => "is being claimed",
            SlotState.Cleaning => "is being released",
            _ => "is held",
        };
        string where = record.Host == context.Host ? record.Slot : $"{record.Slot} on {record.Host}";
        return Build(request, state, RefusalReason.KeyHeld, holder,
            $"\"{request.Key}\" {doing} in {where} since {holder.Since:u} by {Owner(holder.Owner)}, {life}. One key has one lease: release it, or claim with its token.");
    }

    /// <summary>No slot could be had; of slots that nobody holds, because somebody works on them.</summary>
    public async ValueTask<ClaimRefusal> NoSlotAsync(ClaimRequest request, PoolState state, TimeSpan? waited, IReadOnlyList<string> failures) =>
        NoSlot(request, state, waited, failures, state.Slots.All(slot => slot.State is SlotState.Leased or SlotState.Quarantined) ? [] : await Obstacle.FindStoppedAsync(context).ConfigureAwait(false));

    private ClaimRefusal NoSlot(ClaimRequest request, PoolState state, TimeSpan? waited, IReadOnlyList<string> failures, IReadOnlyList<StoppedWorker> stopped)
    {
        PoolCounts counts = Lifecycle.Counting.Count([.. state.Slots]);
        SlotHolder? oldest = state.Slots.Where(slot => slot is { State: SlotState.Leased, Lease: not null }).OrderBy(slot => slot.Lease!.ClaimedAt).Select(HolderOf).FirstOrDefault();
        bool isOnlyBrokenLeft = counts.Quarantined > 0 && counts.Leased + counts.Quarantined == counts.Total && (waited is null || counts.Leased == 0);
        RefusalReason reason = isOnlyBrokenLeft ? RefusalReason.Quarantined
            : waited is null ? RefusalReason.Exhausted : RefusalReason.Timeout;
        string when = waited is { } time ? $" within {time.TotalSeconds:0.###} s (ClaimTimeout, or the claim's own wait)" : "";
        string held = oldest is null ? "" : $" Held longest: {oldest.Slot} for \"{oldest.Key}\" since {oldest.Since:u} by {Owner(oldest.Owner)}.";
        string broken = failures.Count > 0 ? $" Could not be made ready: {string.Join("; ", failures)}." : "";
        string aside = reason != RefusalReason.Quarantined ? "" : string.Concat(state.Slots
            .Where(slot => slot.Quarantine is not null && !failures.Any(failure => failure.StartsWith(slot.Slot + ":", StringComparison.Ordinal)))
            .Take(NamedSlots).Select(slot => $" {slot.Slot} is set aside until {slot.Quarantine!.RetryAt:u}: {slot.Quarantine.Reason}"));
        string kept = string.Concat(stopped.Select(worker => $" For {worker.Slot}: {worker}."));
        string advice = reason == RefusalReason.Quarantined ? " Every slot that is not held is quarantined: see worktree-pool doctor, or wait for a release." : " Raise Slots, or release what is done.";
        return Build(request, state, reason, oldest, $"No slot for \"{request.Key}\"{when}: {counts}.{held}{broken}{aside}{kept}{advice}");
    }

    /// <summary>A claim that ran out of time: not for want of a slot, if the state could not be changed or nothing answered.</summary>
    /// <param name="attempt">The claim.</param>
    /// <param name="waited">How long it took.</param>
    /// <param name="isOverdue">Whether a call has not come back although its time is over.</param>
    public async ValueTask<ClaimRefusal> TimedOutAsync(ClaimAttempt attempt, TimeSpan waited, bool isOverdue)
    {
        PoolState state = attempt.State ?? new PoolState(new PoolRecord(), [], "");
        Task<IReadOnlyList<StoppedWorker>> stopped = isOverdue ? Task.FromResult<IReadOnlyList<StoppedWorker>>([]) : Obstacle.FindStoppedAsync(context);
        string? obstacle = await Obstacle.FindAsync(context, isOverdue).ConfigureAwait(false);
        return obstacle is null
            ? NoSlot(attempt.Request, state, waited, isOverdue ? [] : attempt.Failures, await stopped.ConfigureAwait(false))
            : Build(attempt.Request, state, RefusalReason.Timeout, null, $"No slot for \"{attempt.Request.Key}\" within {waited.TotalSeconds:0.###} s: {obstacle}");
    }

    private ClaimRefusal Build(ClaimRequest request, PoolState state, RefusalReason reason, SlotHolder? holder, string message)
    {
        DateTimeOffset? next = state.Slots.Select(slot => slot.State == SlotState.Quarantined ? slot.Quarantine?.RetryAt : slot.Lease?.ExpiresAt).Where(time => time > context.Now).Min();
        return new ClaimRefusal
        {
            Reason = reason,
            Key = request.Key,
            Message = message,
            Holder = holder,
            Counts = Lifecycle.Counting.Count([.. state.Slots]),
            RetryAfter = reason is RefusalReason.Exhausted or RefusalReason.Timeout or RefusalReason.Quarantined ? next - context.Now : null,
        };
    }

    private SlotHolder? HolderOf(SlotRecord record) => record.Lease is { } lease
        ? new SlotHolder(record.Slot, lease.Key, lease.ClaimedAt, lease.Owner, context.LivenessOf(record))
        : null;

    private static string Owner(LeaseOwner owner) => owner.Process is { } process ? $"process {process.Pid} on {process.Host}" : "a lease with a duration";
}
