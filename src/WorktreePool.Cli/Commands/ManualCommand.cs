using System.CommandLine;
using System.Globalization;
using System.Text;

namespace WorktreePool.Cli.Commands;

/// <summary>manual: prints the manual page, made from the command tree, in man(7)'s language.</summary>
internal static class ManualCommand
{
    private static readonly (string Codes, string Meaning)[] ExitCodes =
    [
        ("0", "done"), ("1", "doctor: something is not ready and was not fixed"), ("64", "wrong usage"), ("69", "the pool is paused"), ("70", "failure; the message says what"),
        ("73", "the key is held already"), ("75", "no slot in time"), ("77", "the lease is lost, or the token unknown"), ("78", "configuration error"),
        ("128+N", "ended by signal N; run exits with its command's own code once the command started"),
    ];

    public static Command Create()
    {
        var command = new Command("manual", "Prints the manual page, for man -l -");
        command.SetAction(_ => Console.Out.Write(Page()));
        return command;
    }

    private static string Page()
    {
        RootCommand root = App.Root();
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            .TH WORKTREE-POOL 1
            .SH NAME
            worktree\-pool \- {Escape(root.Description!)}
            .SH SYNOPSIS
            .B worktree\-pool
            .RI [ options ] " command " [ options ]
            .SH OPTIONS OF EVERY COMMAND

            """);
        AppendOptions(page, App.Globals);
        page.Append(".SH COMMANDS\n");
        foreach (Command command in root.Subcommands.SelectMany(command => command.Subcommands.Count > 0 ? command.Subcommands : [command]))
        {
            string name = command.Parents.OfType<Command>().FirstOrDefault(parent => parent is not RootCommand) is { } parent ? $"{parent.Name} {command.Name}" : command.Name;
            page.Append(CultureInfo.InvariantCulture, $".SS {Escape(name)}\n{Escape(command.Description!)}\n");
            AppendOptions(page, command.Options.Where(option => !option.Hidden));
            AppendExamples(page, Examples.Of(name));
        }

        page.Append(".SH EXIT STATUS\n");
        foreach ((string codes, string meaning) in ExitCodes)
        {
            page.Append(CultureInfo.InvariantCulture, $".TP\n.B {codes}\n{Escape(meaning)}\n");
        }

        page.Append("""
            .SH ENVIRONMENT
            .TP
            .B WORKTREE_POOL
            The pool's directory.
            .TP
            .B WORKTREE_POOL__SETTING
            Overrides a setting; worktree\-pool config shows all.
            .TP
            .B NO_COLOR
            No colours.
            .SH SEE ALSO
            .BR git\-worktree (1)

            """);
        return page.ToString();
    }

    private static void AppendOptions(StringBuilder page, IEnumerable<Option> options)
    {
        foreach (Option option in options)
        {
            string value = option.ValueType == typeof(bool) || option.ValueType == typeof(void) ? "" : $" \\fI{option.Name.TrimStart('-').ToUpperInvariant()}\\fR";
            page.Append(CultureInfo.InvariantCulture, $".TP\n\\fB{Escape(option.Name)}\\fR{value}\n{Escape(option.Description ?? "")}\n");
        }
    }

    private static void AppendExamples(StringBuilder page, IReadOnlyList<Example> examples)
    {
        foreach (Example example in examples)
        {
            page.Append(CultureInfo.InvariantCulture, $".PP\n{Escape(example.Meaning)}:\n.RS\n.nf\n{Escape(example.Line)}\n.fi\n.RE\n");
        }
    }

    /// <summary>Backslashes and hyphens as themselves, and what is not ASCII by its number: not every troff reads UTF-8.</summary>
    private static string Escape(string text) => string.Concat(text.Select(c => c switch
    {
        '\\' => "\\e",
        '-' => "\\-",
        '…' => "...",
        > '~' => string.Create(CultureInfo.InvariantCulture, $"\\[u{(int)c:X4}]"),
        _ => c.ToString(),
    }));
}
