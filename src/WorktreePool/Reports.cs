namespace WorktreePool;

/// <summary>What a keeper's pass did.</summary>
/// <param name="Reclaimed">Slots taken back from dead owners or crashes.</param>
/// <param name="Healed">Free, absent or quarantined slots made ready.</param>
/// <param name="Quarantined">Slots that could not be made ready.</param>
/// <param name="Rescued">Ids of rescues made.</param>
public sealed record MaintenanceReport(IReadOnlyList<string> Reclaimed, IReadOnlyList<string> Healed, IReadOnlyList<string> Quarantined, IReadOnlyList<string> Rescued)
{
    /// <summary>Slots that the keeper gave up in the middle, because a claim wanted them.</summary>
    public IReadOnlyList<string> Yielded { get; init; } = [];

    /// <summary>Slots whose holders did not check in in time and were told of in this pass.</summary>
    public IReadOnlyList<string> Overdue { get; init; } = [];

    /// <summary>What could not be done, in words: a fetch, for example. Tried again in the next pass.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    /// <summary>The keeper that is at work already, so that this pass did nothing; null when this pass was done.</summary>
    public GateRecord? KeptBy { get; init; }
}

/// <summary>What an examination found.</summary>
/// <param name="Slots">Each slot.</param>
/// <param name="Repository">What concerns the repository as a whole.</param>
public sealed record DoctorReport(IReadOnlyList<SlotExamination> Slots, IReadOnlyList<Finding> Repository)
{
    /// <summary>Whether every slot is ready, or leased, or was made ready.</summary>
    public bool IsReady => Slots.All(slot => slot.IsReady || slot.Fixed);
}

/// <summary>What an examination found in one slot.</summary>
/// <param name="Slot">The slot.</param>
/// <param name="State">Its recorded state.</param>
/// <param name="IsReady">Whether nothing is wrong. A leased slot is its holder's: it counts as ready as long as its holder lives.</param>
/// <param name="Findings">What was found wrong, before any fix.</param>
/// <param name="Fixed">Whether it was made ready.</param>
public sealed record SlotExamination(string Slot, SlotState State, bool IsReady, IReadOnlyList<Finding> Findings, bool Fixed);
