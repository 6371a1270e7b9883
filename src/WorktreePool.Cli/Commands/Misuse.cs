using System.CommandLine;
using System.CommandLine.Parsing;
using WorktreePool.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class Misuse
{
    public static string Explain(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string help = command is RootCommand ? "worktree-pool --help" : $"worktree-pool {string.Join(' ', Path(parsed.CommandResult))} --help";
        return parsed.UnmatchedTokens is [var unknown, ..]
            ? $"\"{unknown}\" is no {Kind(command, unknown)}.{Suggestion(command, unknown)} See {help}."
            : $"{string.Join(' ', parsed.Errors.Select(error => Plain(error, command)).Distinct())} See {help}.";
    }

    private static string Kind(Command command, string unknown) =>
        unknown.StartsWith('-') ? $"option of {command.Name}"
        : command.Subcommands.Count > 0 ? command is RootCommand ? "command" : $"command of {command.Name}"
        : $"argument that {command.Name} takes";

    private static string Suggestion(Command command, string unknown)
    {
        IEnumerable<string> known = unknown.StartsWith('-')
            ? command.Options.Concat(App.Globals).Where(option => !option.Hidden).Select(option => option.Name)
            : command.Subcommands.Select(sub => sub.Name);
        return Nearest.Likely(unknown, known) is { } likely ? $" Did you mean {likely}?" : "";
    }

    /// <summary>The parser names types of .NET; people need the option and what it takes.</summary>
    private static string Plain(ParseError error, Command command) => error.SymbolResult switch
    {
        OptionResult { Option: Option<int?> option, Tokens: [{ Value: var value }] } => $"{option.Name} is \"{value}\", which is no whole number.",
        CommandResult when command.Subcommands.Count > 0 => $"Give one of {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}.",
        ArgumentResult { Argument: { } wanted, Tokens.Count: 0 } => $"{command.Name} needs <{wanted.Name}>: {wanted.Description}.",

        // Some of the parser's messages have a line for each choice.
        _ => string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) is var message && message.EndsWith('.') ? message : $"{message}.",
    };

    /// <summary>The names of the commands that were given; none for the program alone.</summary>
    public static IEnumerable<string> Path(CommandResult result) =>
        result.Parent is CommandResult parent && parent.Command is not RootCommand ? [.. Path(parent), result.Command.Name] : [result.Command.Name];
}
