namespace WorktreePool.Lifecycle;

/// <summary>Which set-up steps need not run again. Pure.</summary>
internal static class SetUpPolicy
{
    /// <summary>
    /// Whether a step's result in the slot is the one that is wanted: it was made by this definition from these inputs, and nobody has changed it.
    /// </summary>
    /// <param name="stamp">What is recorded of the step; null when it never ran, or did not end.</param>
    /// <param name="fingerprint">Of its definition and inputs now.</param>
    /// <param name="made">Of what lies there now; null when it was not looked at, because looking is dear and the claim does it again.</param>
    public static bool IsFresh(SetUpStamp? stamp, string fingerprint, string? made) =>
        stamp is not null && stamp.Fingerprint == fingerprint && (made is null || stamp.Made == made);

    /// <summary>The stamp of the step at a place in the order. What is recorded in another order was made in another order, and does not count.</summary>
    public static SetUpStamp? StampOf(SlotRecord record, int place, string step) =>
        record.SetUp is { } setUp && place < setUp.Steps.Count && setUp.Steps[place].Step == step ? setUp.Steps[place] : null;

    /// <summary>
    /// Whether a failure is about the claim's own commit, rather than about the slot: then it must not cost the pool a slot, and the same failure
    /// waits in every other one.
    /// </summary>
    public static bool ConcernsTheClaim(ClaimRequest request) => request.Base is not null;
}
