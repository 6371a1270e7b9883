namespace WorktreePool.Process.Tests.Terminal;

/// <summary>Completion and the manual page.</summary>
public sealed class ShellHelpTests(Sandbox sandbox) : IClassFixture<Sandbox>
{
    [Theory]
    [InlineData("worktree-pool rel", "release")]
    [InlineData("worktree-pool rescue dr", "drop")]
    [InlineData("worktree-pool claim --own", "--owner-pid")]
    public async Task Bash_completes_commands_and_options(string line, string expected)
    {
        string script = $$"""
            set -u
            source <("$0" completion bash)
            worktree-pool() { "$0" "$@"; }
            COMP_LINE='{{line}}'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=($COMP_LINE); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_WORDS[0]=$0
            _worktree_pool
            printf '%s\n' "${COMPREPLY[@]}"
            """;

        (int code, string output, string error) = await sandbox.RunAsync(new Invocation { Wrapper = ["bash", "-c", script] });

        code.Should().Be(0, error);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().Equal(expected);
    }

    [Theory]
    [InlineData("zsh", "compdef() { :; }; compadd() { print -l -- \"${@[2,-1]}\" | grep \"^$words[2]\"; }; source <(worktree-pool completion zsh); words=(worktree-pool rel); BUFFER='worktree-pool rel'; CURSOR=17; _worktree_pool")]
    [InlineData("fish", "worktree-pool completion fish | source; complete -C 'worktree-pool rel' | cut -f1")]
    public async Task Other_shells_complete_too(string shell, string script)
    {
        Assert.SkipUnless(File.Exists($"/usr/bin/{shell}"), $"{shell} is not here.");
        (int code, string output, string error) = await sandbox.RunAsync(new Invocation
        {
            Wrapper = ["sh", "-c", $"PATH=\"${{0%/*}}:$PATH\"; exec {shell} {(shell == "zsh" ? "-f " : "--no-config ")}-c \"$SCRIPT\""],
            Environment = new Dictionary<string, string?> { ["SCRIPT"] = script, ["HOME"] = sandbox.Root },
        });

        code.Should().Be(0, error);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().Equal("release");
    }

    [Fact]
    public async Task The_manual_page_names_every_command_and_is_well_formed()
    {
        (int code, string output, string error) = await sandbox.RunAsync(new Invocation { Wrapper = ["sh", "-c", "\"$0\" manual | { command -v groff >/dev/null && groff -man -Tascii -P-cbou -ww || cat; }"] });

        code.Should().Be(0);
        error.Should().BeEmpty("groff warns of what is malformed");
        output.Should().ContainAll("claim", "owner", "doctor", "rescue", "EXIT", "128+N");
    }
}
