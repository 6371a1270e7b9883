namespace WorktreePool;

/// <summary>The base of every failure a pool reports. The message says what happened, what was left, and what to do.</summary>
public abstract class WorktreePoolException : Exception
{
    /// <summary>For exceptions of the pool, its backends and its stores.</summary>
    /// <param name="message">What happened, what was left, and what to do.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    protected WorktreePoolException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>A claim was refused: the pool works, but no slot can be had now.</summary>
public sealed class SlotUnavailableException(ClaimRefusal refusal) : WorktreePoolException(refusal?.Message ?? "")
{
    /// <summary>Why.</summary>
    public ClaimRefusal Refusal { get; } = refusal!;
}

/// <summary>The lease is no longer this holder's, or the token is unknown. Nothing was changed.</summary>
public sealed class LeaseLostException(string message) : WorktreePoolException(message);

/// <summary>A setting is wrong. Nothing was changed.</summary>
public sealed class PoolConfigurationException(string message) : WorktreePoolException(message);

/// <summary>Git could not do what was asked.</summary>
public class GitBackendException(string message, Exception? inner = null) : WorktreePoolException(message, inner);

/// <summary>The base names nothing.</summary>
public sealed class BaseNotFoundException(string message) : GitBackendException(message);

/// <summary>The base is older than the claim allows, and could not be fetched. No slot was claimed.</summary>
public sealed class BaseTooOldException(string message, Exception? inner = null) : GitBackendException(message, inner);

/// <summary>A branch of the wanted name exists already.</summary>
public sealed class BranchExistsException(string message) : GitBackendException(message);

/// <summary>
/// A file could not be copied into a slot, or a set-up step failed there. When the claim asked for a commit of its own, the slot was given back;
/// on the pool's base it is quarantined, and the reason says this.
/// </summary>
public sealed class SetUpFailedException(string message, Exception? inner = null) : WorktreePoolException(message, inner);

/// <summary>There is no rescue of that id.</summary>
public sealed class RescueNotFoundException(string message) : GitBackendException(message);

/// <summary>The pool's state could not be read or written.</summary>
public class StateStoreException(string message, Exception? inner = null) : WorktreePoolException(message, inner);

/// <summary>The pool's state is not, or not yet, in this store: it was moved, or is on its way. Nothing was changed.</summary>
public sealed class StateMovedException(string message) : StateStoreException(message);

/// <summary>
/// A release could not leave the slot ready. Once it has begun, the lease has ended, and the slot is quarantined or left for the next claim or
/// the keeper to heal. If it could not even begin, because the pool's state could not be written in time, the lease is still held.
/// </summary>
public sealed class ReleaseIncompleteException(string message) : WorktreePoolException(message)
{
    /// <summary>Whether the lease has ended. If not, the release may be repeated; a lease object repeats it by itself as long as its process lives.</summary>
    public bool HasBegun { get; init; } = true;
}
