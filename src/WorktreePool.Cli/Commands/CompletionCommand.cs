using System.CommandLine;

namespace WorktreePool.Cli.Commands;

/// <summary>completion: prints what a shell needs to complete this command. The words themselves come from the parser.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # worktree-pool completion for bash. Load it with: source <(worktree-pool completion bash)
        _worktree_pool() {
          local word="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
          COMPREPLY=( $(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$word") )
        }
        complete -o bashdefault -o default -F _worktree_pool worktree-pool
        """;

    private const string Zsh = """
        #compdef worktree-pool
        # worktree-pool completion for zsh. Load it with: source <(worktree-pool completion zsh)
        _worktree_pool() {
          local -a words_found
          words_found=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
          compadd -- "${words_found[@]}" || _files
        }
        # As a file on $fpath this is the function itself; loaded with source, it has to be made known.
        if [[ "${funcstack[1]:-}" = _worktree-pool ]]; then _worktree_pool "$@"; else compdef _worktree_pool worktree-pool; fi
        """;

    private const string Fish = """
        # worktree-pool completion for fish. Load it with: worktree-pool completion fish | source
        function __worktree_pool
          set -l line (commandline -cp)
          worktree-pool "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c worktree-pool -a '(__worktree_pool)'
        """;

    private static readonly Argument<string> Shell = new Argument<string>("shell") { Description = "bash, zsh or fish" }.AcceptOnlyFromAmong("bash", "zsh", "fish");

    public static Command Create()
    {
        var command = new Command("completion", "Prints the completion script of a shell") { Shell };
        command.SetAction(parsed => Console.Out.WriteLine(parsed.GetValue(Shell) switch { "zsh" => Zsh, "fish" => Fish, _ => Bash }));
        return command;
    }
}
