namespace WorktreePool.Git.Cli;

/// <summary>A worktree to run git on: a slot, or a submodule in one.</summary>
/// <param name="Slot">The slot's path; marks the git processes, so that those orphaned by a crash can be found.</param>
/// <param name="Key">Names it in the pool: the slot's name, for a submodule with more.</param>
/// <param name="Path">Where its files are.</param>
/// <param name="Directory">Its git directory: HEAD and index are there.</param>
/// <param name="Objects">Its object directory.</param>
internal sealed record GitWorktree(string Slot, string Key, string Path, string Directory, string Objects)
{
    /// <summary>Whether it is a slot, and not a submodule in one.</summary>
    public bool IsSlot => Path == Slot;

    public string Index => System.IO.Path.Combine(Directory, "index");
}
