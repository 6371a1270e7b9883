namespace WorktreePool;

/// <summary>What a slot shall be: the commit its tree, index and HEAD stand at, and the branch HEAD is on.</summary>
/// <param name="Commit">A full commit id.</param>
/// <param name="Branch">A branch's short name, or null for a detached HEAD.</param>
public sealed record SlotTarget(string Commit, string? Branch = null)
{
    /// <summary>What the probe has to do with a watch over the slot. Default: nothing, everything is read.</summary>
    public WatchUse Watch { get; init; }

    /// <summary>
    /// The full id of the commit where the slot goes next (<see cref="IGitBackend.RepairAsync"/>), should it be found ready. A backend may read meanwhile what that takes from
    /// the repository; in the slot it changes nothing. Default null: it goes nowhere.
    /// </summary>
    public string? Next { get; init; }

    /// <summary>
    /// The full id of the commit at which a probe found the slot ready under the working lock that is still held, when nothing was done to it since but one reset from
    /// there (<see cref="IGitBackend.RepairAsync"/>). A backend that knows what its reset has changed may then look at that alone. Default null: everything is read.
    /// </summary>
    public string? MovedFrom { get; init; }
}
