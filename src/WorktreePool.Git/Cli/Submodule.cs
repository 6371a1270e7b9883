using System.Security.Cryptography;
using System.Text;

namespace WorktreePool.Git.Cli;

/// <summary>A submodule as a commit records it and the trusted baseline knows it.</summary>
/// <param name="Above">The worktree it is in: a slot, or another submodule.</param>
/// <param name="Path">Its path in that worktree.</param>
/// <param name="Module">Where its git directory is below <c>modules</c>.</param>
/// <param name="Commit">The recorded commit.</param>
/// <param name="Url">Where the user fetches it from.</param>
internal sealed record Submodule(GitWorktree Above, string Path, string Module, string Commit, string Url)
{
    /// <summary>The submodule as a worktree of its own.</summary>
    /// <param name="slotModules">The <c>modules</c> directory of the slot.</param>
    public GitWorktree In(string slotModules)
    {
        string slot = Above.Key.Split('~')[0];
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Module)))[..12];
        string directory = System.IO.Path.Combine(slotModules, Module);
        return new GitWorktree(Above.Slot, $"{slot}~{hash}", System.IO.Path.Combine(Above.Path, Path), directory, System.IO.Path.Combine(directory, "objects"));
    }
}
