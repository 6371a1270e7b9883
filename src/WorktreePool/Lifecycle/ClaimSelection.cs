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
        if (HolderOf(records, key, host, wantedCommit, liveness, now) is { } held)
        {
            return held;
        }

        var candidates = new List<Candidate>(records.Count);
        foreach (SlotRecord record in records)
        {
            Availability availability = SlotLifecycle.Assess(record, host, wantedCommit, liveness(record), now);
            if (availability != Availability.Unavailable)
            {
                candidates.Add(new Candidate(record, availability, Affinity(record, key, branch), candidates.Count, HasBranch(record, branch)));
            }
        }

        return new ClaimChoice(null, new Candidates(candidates));
    }

    /// <summary>The part of a choice that needs no choosing: who holds the key; null when nobody does.</summary>
    /// <inheritdoc cref="Choose"/>
    public static ClaimChoice? HolderOf(
        IReadOnlyList<SlotRecord> records, string key, string host, string? wantedCommit, Func<SlotRecord, Liveness> liveness, DateTimeOffset now)
    {
        if (records.FirstOrDefault(record => record.Lease is { } lease && string.Equals(lease.Key, key, StringComparison.Ordinal)) is not { } holder)
        {
            return null;
        }

        // The key names one slot: the claim takes that very slot over if its holder is gone, and no other.
        Availability availability = SlotLifecycle.Assess(holder, host, wantedCommit, liveness(holder), now);
        return new ClaimChoice(holder, new Candidates(availability is Availability.Dead or Availability.InTransit ? [new Candidate(holder, availability, 0, 0)] : []));
    }

    /// <summary>Whether a lease that is gone has left the claim's branch there: it goes when that slot is cleaned, and until then it exists.</summary>
    private static bool HasBranch(SlotRecord record, string? branch) => branch is not null && (record.EndedBranch ?? record.Lease?.Branch) == branch;

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
internal sealed record ClaimChoice(SlotRecord? KeyHolder, Candidates Candidates);
