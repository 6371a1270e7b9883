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
                candidates.Add(new Candidate(record, availability, Affinity(record, key, branch), candidates.Count));
            }
        }

        candidates.Sort();
        return new ClaimChoice(null, candidates.ConvertAll(candidate => candidate.Record));
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
        return availability is Availability.Dead or Availability.InTransit ? new ClaimChoice(holder, [holder]) : new ClaimChoice(holder, []);
    }

    /// <summary>
    /// How far a slot is from what the claim will need there: last used for the same key, for the same branch, or for something else. What set-up steps
    /// made comes next, because it may cost minutes, and only then the commit, because moving a slot costs milliseconds.
    /// </summary>
    private static int Affinity(SlotRecord record, string key, string? branch) =>
        record.LastUse is not { } use ? 2 : use.Key == key ? 0 : branch is not null && use.Branch == branch ? 1 : 2;

    /// <summary>A slot that a claim may try; the best comes first.</summary>
    /// <param name="Record">The slot.</param>
    /// <param name="Availability">What may be done with it.</param>
    /// <param name="Affinity">From <see cref="ClaimSelection.Affinity"/>.</param>
    /// <param name="Position">Its place among the records, for those that are alike.</param>
    private readonly record struct Candidate(SlotRecord Record, Availability Availability, int Affinity, int Position) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other)
        {
            int order = Rank - other.Rank;
            order = order != 0 ? order : Affinity.CompareTo(other.Affinity);
            order = order != 0 ? order : Steps(other.Record).CompareTo(Steps(Record));
            order = order != 0 ? order : Availability - other.Availability;

            // Of slots at other commits the one that was left last stands nearest to a base that only moves forward.
            order = order != 0 || Availability != Availability.Free ? order : other.Record.UpdatedAt.CompareTo(Record.UpdatedAt);
            return order != 0 ? order : Position.CompareTo(other.Position);
        }

        private Availability Rank => Availability == Availability.Free ? Availability.FreeAtTarget : Availability;

        private static int Steps(SlotRecord record) => record.SetUp?.Steps.Count ?? 0;
    }
}

/// <summary>A claim's choice.</summary>
/// <param name="KeyHolder">The slot whose record has the key; null when none has.</param>
/// <param name="Candidates">Slots to try, best first.</param>
internal sealed record ClaimChoice(SlotRecord? KeyHolder, IReadOnlyList<SlotRecord> Candidates);
