namespace WorktreePool;

/// <summary>Who keeps a lease alive: a process, for as long as it runs, or a duration that must be renewed.</summary>
public sealed record LeaseOwner
{
    private LeaseOwner(ProcessIdentity? process, TimeSpan? duration) => (Process, Duration) = (process, duration);

    /// <summary>The process that owns the lease; null for a duration lease.</summary>
    public ProcessIdentity? Process { get; }

    /// <summary>How long the lease lasts without renewal; null for a process lease.</summary>
    public TimeSpan? Duration { get; }

    /// <summary>The lease lives as long as the process.</summary>
    /// <param name="process">See <see cref="IProcessTable.Find"/>.</param>
    public static LeaseOwner ForProcess(ProcessIdentity process)
    {
        ArgumentNullException.ThrowIfNull(process);
        return new LeaseOwner(process, null);
    }

    /// <summary>The lease lives for a time, unless renewed.</summary>
    /// <param name="duration">More than zero.</param>
    /// <exception cref="ArgumentOutOfRangeException">The duration is zero or negative.</exception>
    public static LeaseOwner ForDuration(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        return new LeaseOwner(null, duration);
    }
}
