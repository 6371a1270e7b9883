namespace WorktreePool.Lifecycle;

/// <summary>One step of a plan, carried out against the git seam.</summary>
internal abstract record SlotAction
{
    private SlotAction()
    {
    }

    /// <summary>Keep work before something destroys it, then record that it is kept.</summary>
    public sealed record SaveWork(string Reason) : SlotAction;

    /// <summary>Make the slot ready at the target, this strongly.</summary>
    public sealed record Repair(RepairLevel Level) : SlotAction;

    /// <summary>Delete the ended lease's branch.</summary>
    public sealed record DeleteBranch(string Branch) : SlotAction;
}
