namespace WorktreePool;

/// <summary>The base of every failure a pool reports. The message says what happened, what was left, and what to do.</summary>
public abstract class WorktreePoolException : Exception
{
    private protected WorktreePoolException(string message, Exception? inner = null) : base(message, inner)
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

/// <summary>A branch of the wanted name exists already.</summary>
public sealed class BranchExistsException(string message) : GitBackendException(message);

/// <summary>There is no rescue of that id.</summary>
public sealed class RescueNotFoundException(string message) : GitBackendException(message);

/// <summary>The pool's state could not be read or written.</summary>
public class StateStoreException(string message, Exception? inner = null) : WorktreePoolException(message, inner);

/// <summary>A release ended the lease but could not leave the slot ready: it is quarantined, or left for the next claim or the keeper to heal.</summary>
public sealed class ReleaseIncompleteException(string message) : WorktreePoolException(message);
