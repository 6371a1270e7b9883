using Microsoft.Extensions.Logging;

namespace WorktreePool.Runtime;

/// <summary>What every part of one pool's runtime works with.</summary>
/// <param name="Name">The pool's name.</param>
/// <param name="Options">The validated settings, paths absolute.</param>
/// <param name="Store">The state.</param>
/// <param name="Git">The repository.</param>
/// <param name="Processes">The machine's processes.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where events are logged; never a token.</param>
internal sealed record PoolContext(
    string Name, WorktreePoolOptions Options, ISlotStateStore Store, IGitBackend Git, IProcessTable Processes, TimeProvider Time, ILogger Logger)
{
    /// <summary>This host's name, as in records.</summary>
    public string Host => Processes.Current.Host;

    /// <summary>Now, UTC.</summary>
    public DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>Whether the owner of a record's lease lives.</summary>
    public Liveness LivenessOf(SlotRecord record) =>
        record.Lease?.Owner.Process is { } process ? Processes.GetLiveness(process) : Liveness.Unknown;
}
