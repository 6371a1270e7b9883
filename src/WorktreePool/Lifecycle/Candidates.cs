using System.Collections;

namespace WorktreePool.Lifecycle;

/// <summary>
/// The slots that a claim may try, the best first. Nearly every claim takes the first one: only who goes on has the others put in order. Not for two threads at once.
/// </summary>
/// <param name="candidates">In any order.</param>
internal sealed class Candidates(List<Candidate> candidates) : IReadOnlyCollection<SlotRecord>
{
    private bool _isInOrder;

    /// <summary>How many there are.</summary>
    public int Count => candidates.Count;

    /// <summary>Whether there is one of which something is true, in whatever order.</summary>
    public bool Any(Func<SlotRecord, bool> isTrue) => candidates.Exists(candidate => isTrue(candidate.Record));

    /// <inheritdoc/>
    public IEnumerator<SlotRecord> GetEnumerator()
    {
        if (Count == 0)
        {
            yield break;
        }

        yield return First();
        if (!_isInOrder)
        {
            candidates.Sort();
            _isInOrder = true;
        }

        for (int at = 1; at < Count; at++)
        {
            yield return candidates[at].Record;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private SlotRecord First()
    {
        Candidate best = candidates[0];
        for (int at = 1; at < Count && !_isInOrder; at++)
        {
            best = candidates[at].CompareTo(best) < 0 ? candidates[at] : best;
        }

        return best.Record;
    }
}

/// <summary>A slot that a claim may try; the best comes first.</summary>
/// <param name="Record">The slot.</param>
/// <param name="Availability">What may be done with it.</param>
/// <param name="Affinity">How far it is from what the claim will need there; 0 is nearest.</param>
/// <param name="Position">Its place among the records, for those that are alike.</param>
/// <param name="HasBranch">Whether the claim's branch is still there: then no other slot can have it.</param>
internal readonly record struct Candidate(SlotRecord Record, Availability Availability, int Affinity, int Position, bool HasBranch = false) : IComparable<Candidate>
{
    public int CompareTo(Candidate other)
    {
        int order = other.HasBranch.CompareTo(HasBranch);
        order = order != 0 ? order : Rank - other.Rank;
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
