namespace WorktreePool.Testing;

/// <summary>The verbs of <see cref="IGitBackend"/> and <see cref="ISetUpRunner"/>, to name one in a script.</summary>
public enum GitVerb
{
    /// <summary><see cref="IGitBackend.InspectAsync"/>.</summary>
    Inspect,

    /// <summary><see cref="IGitBackend.TrustAsync"/>.</summary>
    Trust,

    /// <summary><see cref="IGitBackend.ExpandAsync"/>.</summary>
    Expand,

    /// <summary><see cref="IGitBackend.ResolveAsync"/>.</summary>
    Resolve,

    /// <summary><see cref="IGitBackend.FetchAsync"/>.</summary>
    Fetch,

    /// <summary><see cref="IGitBackend.ProbeAsync"/>.</summary>
    Probe,

    /// <summary><see cref="IGitBackend.RepairAsync"/>.</summary>
    Repair,

    /// <summary><see cref="IGitBackend.StartBranchAsync"/>.</summary>
    StartBranch,

    /// <summary><see cref="IGitBackend.DeleteBranchAsync"/>.</summary>
    DeleteBranch,

    /// <summary><see cref="IGitBackend.EvictAsync"/>.</summary>
    Evict,

    /// <summary><see cref="IGitBackend.RescueAsync"/>.</summary>
    Rescue,

    /// <summary><see cref="IGitBackend.RemoveAsync"/>.</summary>
    Remove,

    /// <summary><see cref="IGitBackend.ExamineRemotesAsync"/>.</summary>
    ExamineRemotes,

    /// <summary><see cref="IGitBackend.FindDriftAsync"/>.</summary>
    FindDrift,

    /// <summary><see cref="ISetUpRunner.RunAsync"/>.</summary>
    SetUp,

    /// <summary><see cref="ISetUpRunner.CopyAsync"/>.</summary>
    Copy,
}

/// <summary>One call that a <see cref="ScriptedGitBackend"/> received.</summary>
/// <param name="Verb">Which verb.</param>
/// <param name="Slot">On which slot; null for what concerns the repository.</param>
/// <param name="Argument">The ref, commit, branch or level it was called with.</param>
public sealed record GitCall(GitVerb Verb, string? Slot, string? Argument);
