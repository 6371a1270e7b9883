namespace WorktreePool.Runtime;

/// <summary>What this process holds and others may come to hold, as <see cref="LossWatch"/> sees it: a lease, or a stay inside a gate.</summary>
internal interface IHeld
{
    /// <summary>Until when it may be trusted without word from a store that others share; null: as long as this host may be.</summary>
    DateTimeOffset? TrustedUntil { get; }

    /// <summary>Whether its time is over, as far as this process knows without asking.</summary>
    bool IsOver { get; }

    /// <summary>Whether the records still prove it. Called with them as they are now.</summary>
    bool IsProvedBy(PoolRecord pool, IReadOnlyDictionary<string, SlotRecord> slots);

    /// <summary>Tells its holder that it is lost.</summary>
    void MarkLost();
}
