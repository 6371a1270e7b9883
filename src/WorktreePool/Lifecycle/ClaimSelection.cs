namespace WorktreePool.Lifecycle;

/// <summary>Which slots a claim may try, in order, or who holds its key. Pure.</summary>
internal static class ClaimSelection
{
    /// <summary>Chooses.</summary>
    /// <param name="records">The pool's records.</param>
    /// <param name="key">The claim's key.</param>
    /// <param name="branch">The claim's branch; null when it wants none.</param>
    /// <param name="wantedCommit">The commit the claim wants.</param>
    /// <param name="host">This host.</param>
    /// <param name="liveness">Tells whether a record's owner lives.</param>
    /// <param name="now">Now.</param>
    public static ClaimChoice Choose(
        IReadOnlyList<SlotRecord> records, string key, string? branch, string? wantedCommit, string host, Func<SlotRecord, Liveness> liveness, DateTimeOffset now)
    {
        SlotRecord? holder = records.FirstOrDefault(record => record.Lease is { } lease && string.Equals(lease.Key, key, StringComparison.Ordinal));
        if (holder is not null)
        {
            // The key names one slot: the claim takes that very slot over if its holder is gone, and no other.
            Availability availability = SlotLifecycle.Assess(holder, host, wantedCommit, liveness(holder), now);
            return availability is Availability.Dead or Availability.InTransit ? new ClaimChoice(holder, [holder]) : new ClaimChoice(holder, []);
        }

        List<SlotRecord> candidates = [.. records
            .Select(record => (record, availability: SlotLifecycle.Assess(record, host, wantedCommit, liveness(record), now)))
            .Where(pair => pair.availability != Availability.Unavailable)
            .OrderBy(pair => pair.availability is Availability.FreeAtTarget or Availability.Free ? Availability.FreeAtTarget : pair.availability)
            .ThenBy(pair => Affinity(pair.record, key, branch))
            .ThenByDescending(pair => pair.record.SetUp?.Steps.Count ?? 0)
            .ThenBy(pair => pair.availability)

            // Of slots at other commits the one that was left last stands nearest to a base that only moves forward.
            .ThenByDescending(pair => pair.availability == Availability.Free ? pair.record.UpdatedAt : default)
            .Select(pair => pair.record)];
        return new ClaimChoice(null, candidates);
    }

    /// <summary>
    /// How far a slot is from what the claim will need there: last used for the same key, for the same branch, or for something else. What set-up steps
    /// made comes next, because it may cost minutes, and only then the commit, because moving a slot costs milliseconds.
    /// </summary>
    private static int Affinity(SlotRecord record, string key, string? branch) =>
        record.LastUse is not { } use ? 2 : use.Key == key ? 0 : branch is not null && use.Branch == branch ? 1 : 2;
}

/// <summary>A claim's choice.</summary>
/// <param name="KeyHolder">The slot whose record has the key; null when none has.</param>
/// <param name="Candidates">Slots to try, best first.</param>
internal sealed record ClaimChoice(SlotRecord? KeyHolder, IReadOnlyList<SlotRecord> Candidates);
