using System.CommandLine;

namespace WorktreePool.Cli.Commands;

/// <summary>Accepted before and after every command's name.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Pool = new("--pool") { Description = "The pool's directory (or WORKTREE_POOL; or the nearest .worktree-pool upward)", Recursive = true };
    public static readonly Option<bool> Json = new("--json") { Description = "One JSON object on standard output", Recursive = true };
    public static readonly Option<bool> Verbose = new("--verbose") { Description = "Details of errors on standard error", Recursive = true };
}
