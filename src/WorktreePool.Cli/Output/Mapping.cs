namespace WorktreePool.Cli.Output;

/// <summary>From the library's words to the contract's documents.</summary>
internal static class Mapping
{
    public static string Name<T>(T value) where T : struct, Enum => value.ToString() is var text ? char.ToLowerInvariant(text[0]) + text[1..] : "";

    public static ClaimDocument Claim(SlotLease lease) => new(
        lease.IsAttached ? "attached" : "claimed", lease.Key, lease.Slot, lease.Path, lease.Token.Value, lease.Epoch, lease.Commit, lease.Branch, lease.ClaimedAt,
        lease.ExpiresAt, lease.Healed, lease.Rescued, Math.Round(lease.Waited.TotalMilliseconds, 1), Math.Round(lease.Prepared.TotalMilliseconds, 1));

    public static RefusalDocument Refusal(ClaimRefusal refusal) => new(
        "refused", Name(refusal.Reason), refusal.Key, refusal.Message,
        refusal.Holder is { } holder ? new HolderDocument(holder.Slot, holder.Since, Owner(holder.Owner, holder.Liveness, null)) : null,
        Counts(refusal.Counts), refusal.RetryAfter?.TotalMilliseconds);

    public static CountsDocument Counts(PoolCounts c) => new(c.Total, c.Free, c.Leased, c.Preparing, c.Cleaning, c.Quarantined, c.Absent);

    public static StatusDocument Status(PoolSnapshot snapshot) => new(
        snapshot.Pool, new BaseDocument(snapshot.BaseRef, snapshot.BaseCommit),
        snapshot.Paused is { } paused ? new PausedDocument(paused.Reason, paused.Since) : null,
        Counts(snapshot.Counts), [.. snapshot.Slots.Select(Slot)], new RepositoryDocument([.. snapshot.Drift.Select(Finding)]), snapshot.Obstacle);

    public static FindingDocument Finding(Finding finding) => new(finding.Id, finding.Detail, FindingWords.Of(finding.Id).Meaning, FindingWords.Of(finding.Id).Remedy);

    public static DoctorDocument Doctor(DoctorReport report, PoolSnapshot after, ForcedDocument? forced)
    {
        Dictionary<string, SlotDocument> slots = after.Slots.Select(Slot).ToDictionary(slot => slot.Slot);
        return new DoctorDocument(
            report.IsReady,
            [.. report.Slots.Select(slot => Examined(slot, slots.GetValueOrDefault(slot.Slot)))],
            new RepositoryDocument([.. report.Repository.Select(Finding)]), forced);
    }

    private static ExaminedDocument Examined(SlotExamination slot, SlotDocument? after) => new(
        slot.Slot, slot.IsReady || slot.Fixed, [.. slot.Findings.Select(Finding)], slot.Fixed, after?.State ?? Name(slot.State), after?.Key, after?.Quarantine);

    public static RescueDocument Rescue(Rescue r) => new(r.Id, r.Ref, r.Commit, r.Key, r.Slot, r.At, r.Files, r.Commits, r.Reason);

    public static EntryDocument Entry(HistoryEntry e) => new(e.At, Name(e.Event), e.Slot, e.Key, e.Epoch, e.Detail, e.Findings, e.Rescued, Milliseconds(e.Waited), Milliseconds(e.Prepared), e.Host);

    private static double? Milliseconds(TimeSpan? time) => time is { } value ? Math.Round(value.TotalMilliseconds, 1) : null;

    private static SlotDocument Slot(SlotSnapshot snapshot)
    {
        SlotRecord record = snapshot.Record;
        return new SlotDocument(
            record.Slot, record.Path, Name(record.State), record.Lease?.Key, record.Lease?.Branch, record.Commit, record.Epoch,
            record.Lease is { } lease ? Owner(lease.Owner, snapshot.OwnerLiveness, lease.ExpiresAt, record.Host) : null,
            record.Lease?.ClaimedAt, record.Lease?.CheckedInAt, snapshot.Overdue, record.Lease?.Metadata ?? new Dictionary<string, string>(),
            record.LastHeal is { } heal ? new HealDocument(heal.At, heal.Findings) : null,
            record.Quarantine is { } q ? new QuarantineDocument(q.Reason, q.RetryAt, q.Failures) : null);
    }

    private static OwnerDocument Owner(LeaseOwner owner, Liveness liveness, DateTimeOffset? expiresAt, string? host = null) => new(
        owner.Process?.Host ?? host ?? Environment.MachineName, owner.Process?.Pid,
        liveness switch { Liveness.Alive => true, Liveness.Dead => false, _ => null }, expiresAt);
}
