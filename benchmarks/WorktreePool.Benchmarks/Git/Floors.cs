namespace WorktreePool.Benchmarks.Git;

/// <summary>What people do without a pool.</summary>
internal static class Floors
{
    /// <summary>The script that was written in the night of the outage.</summary>
    public static void OutageFix(string worktree, string commit)
    {
        Scratch.Git(worktree, "reset", "-q", "--hard");
        Scratch.Git(worktree, "checkout", "-q", "--detach", commit);
        Scratch.Git(worktree, "reset", "-q", "--hard", commit);
        Scratch.Git(worktree, "clean", "-q", "-fdx");
    }
}

/// <summary>A figure counts only if what was measured is what it says.</summary>
internal static class Require
{
    /// <summary>The slot was ready: nothing had to be healed.</summary>
    public static void Ready(SlotLease lease)
    {
        if (lease.Healed.Count > 0)
        {
            throw new InvalidOperationException($"{lease.Slot} was not ready: {string.Join(' ', lease.Healed)}");
        }
    }
}
