namespace WorktreePool;

/// <summary>How far a long piece of work has come; for a person who waits.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Done">How much of it is done, from 0.</param>
/// <param name="Total">How much there is; 0 when that is not known.</param>
/// <param name="Subject">What it is about just now: a slot, or git's own words about a fetch; null when there is nothing to name.</param>
public sealed record PoolProgress(PoolPhase Phase, long Done, long Total, string? Subject = null);

/// <summary>Long work, by kind.</summary>
public enum PoolPhase
{
    /// <summary>The base is fetched from its remote; counted in git objects.</summary>
    Fetching,

    /// <summary>Slots are made or healed; counted in slots.</summary>
    Preparing,

    /// <summary>Slots are examined and, if asked for, healed; counted in slots.</summary>
    Examining,

    /// <summary>Superfluous slots are removed; counted in slots.</summary>
    Removing,
}
