namespace WorktreePool;

/// <summary>Work that was kept before something destroyed it.</summary>
public sealed record Rescue
{
    /// <summary>Its id, unique in the repository: the last part of <see cref="Ref"/>.</summary>
    public required string Id { get; init; }

    /// <summary>The full refname that keeps it, under <c>refs/worktree-pool/rescue/</c>.</summary>
    public required string Ref { get; init; }

    /// <summary>The commit that holds the files as they were; its first parent is the HEAD they were based on.</summary>
    public required string Commit { get; init; }

    /// <summary>The key of the lease it was found under; null when there was none.</summary>
    public string? Key { get; init; }

    /// <summary>The slot it was found in.</summary>
    public required string Slot { get; init; }

    /// <summary>When it was kept, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How many files differ from HEAD; 0 when only commits were kept.</summary>
    public int Files { get; init; }

    /// <summary>How many commits were reachable from nothing else; 0 when only files were kept.</summary>
    public int Commits { get; init; }

    /// <summary>Why it was kept, by what came upon it: <c>claim</c>, <c>release</c>, <c>reclaim</c> (its holder was gone) or <c>heal</c> (nobody had the slot).</summary>
    public required string Reason { get; init; }

    /// <summary>Where files that could not be read were moved to; null when there were none.</summary>
    public string? Aside { get; init; }
}

/// <summary>What a rescue is for.</summary>
/// <param name="Key">The key of the lease the work belongs to; null when there is none.</param>
/// <param name="Epoch">The slot's epoch: the same epoch and content never make a second rescue.</param>
/// <param name="Branch">The lease's branch, which is about to be deleted and therefore keeps nothing; null when there is none.</param>
/// <param name="Base">The commit the slot is reset to, taken as the parent when HEAD is unreadable.</param>
/// <param name="Reason">In words.</param>
/// <param name="At">Now, UTC.</param>
public sealed record RescueRequest(string? Key, long Epoch, string? Branch, string Base, string Reason, DateTimeOffset At);
