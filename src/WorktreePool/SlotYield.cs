namespace WorktreePool;

/// <summary>How far whoever works on a slot's disk is ready to give it up for a claim. Only housekeeping is: what it does, the claim can do itself.</summary>
public enum SlotYield
{
    /// <summary>It goes on until it is asked to stop.</summary>
    WhenAsked,

    /// <summary>A claim has asked: it stops where it is and leaves the rest to the claim.</summary>
    Asked,
}
