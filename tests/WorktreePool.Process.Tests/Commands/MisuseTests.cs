using WorktreePool.Cli.Commands;

namespace WorktreePool.Process.Tests.Commands;

/// <summary>A mistyped line is answered in one line: what is wrong, what was probably meant, where to read more.</summary>
public sealed class MisuseTests
{
    [Theory]
    [InlineData("clain --key K", "\"clain\" is no command. Did you mean claim? See worktree-pool --help.")]
    [InlineData("rel", "\"rel\" is no command. Did you mean release? See worktree-pool --help.")]
    [InlineData("foo", "\"foo\" is no command. See worktree-pool --help.")]
    [InlineData("claim --kye K", "\"--kye\" is no option of claim. Did you mean --key? See worktree-pool claim --help.")]
    [InlineData("claim --key K --owner 1", "\"--owner\" is no option of claim. Did you mean --owner-pid? See worktree-pool claim --help.")]
    [InlineData("status --jsn", "\"--jsn\" is no option of status. Did you mean --json? See worktree-pool status --help.")]
    [InlineData("rescue shwo X", "\"shwo\" is no command of rescue. Did you mean show? See worktree-pool rescue --help.")]
    [InlineData("rescue", "Give one of list, show, restore, drop. See worktree-pool rescue --help.")]
    [InlineData("rescue show", "show needs <id>: The rescue's id. See worktree-pool rescue show --help.")]
    [InlineData("run --key K", "run needs <command>: The command and its arguments, after --. See worktree-pool run --help.")]
    [InlineData("history --limit many", "--limit is \"many\", which is no whole number. See worktree-pool history --help.")]
    [InlineData("completion tcsh", "Argument 'tcsh' not recognized. Must be one of: 'bash' 'zsh' 'fish'. See worktree-pool completion --help.")]
    [InlineData("claim", "Option '--key' is required. See worktree-pool claim --help.")]
    public void Is_explained(string line, string explained) => Misuse.Explain(App.Root().Parse(line)).Should().Be(explained);
}
