namespace WorktreePool;

/// <summary>
/// The right to be the one dispatcher of its name: held until disposed or until the process dies. Abstract so that a test can make one.
/// </summary>
public abstract class DispatchGate : IAsyncDisposable
{
    /// <summary>The dispatcher's name.</summary>
    public abstract string Name { get; }

    /// <summary>When it entered, UTC.</summary>
    public abstract DateTimeOffset Since { get; }

    /// <summary>
    /// Cancelled when this dispatcher may no longer believe that it is the only one: the pool's state says otherwise, or this host could not reach a shared
    /// state for so long that others take it for gone. Stop dispatching then.
    /// </summary>
    public abstract CancellationToken LostToken { get; }

    /// <summary>Leaves, so that the next may enter. Never throws for a state that cannot be written: the entry ends with the process.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>How an attempt to become the dispatcher ended.</summary>
/// <param name="Gate">The gate; null when refused.</param>
/// <param name="Inside">Who is the dispatcher of that name already; null when entered or paused.</param>
/// <param name="Liveness">Whether that process lives; unknown on another host.</param>
/// <param name="Paused">The pool's pause, when that is the reason.</param>
/// <param name="Message">In words: why not; empty when entered.</param>
public sealed record DispatchAttempt(DispatchGate? Gate, GateRecord? Inside, Liveness Liveness, PauseRecord? Paused, string Message);
