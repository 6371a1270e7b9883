namespace WorktreePool;

/// <summary>What happens to processes that still work in a slot when nobody holds it any more.</summary>
public enum LeftoverPolicy
{
    /// <summary>Those that carry the lease's marker (<see cref="SlotLease.Environment"/>) are asked to end (SIGTERM), and killed two seconds later; with any other the slot is quarantined, and the reason names it.</summary>
    Kill,

    /// <summary>The pool waits for them to end, as long as the claim or release may take; then the slot is quarantined.</summary>
    Wait,

    /// <summary>The slot is quarantined at once, and the reason names them.</summary>
    Fail,
}
