using System.CommandLine;
using System.Diagnostics.CodeAnalysis;

namespace WorktreePool.Cli.Commands;

/// <summary>The command tree, and how every command is run and every failure told.</summary>
internal static class App
{
    /// <summary>Accepted before and after every command's name.</summary>
    public static readonly IReadOnlyList<Option> Globals = [GlobalOptions.Pool, GlobalOptions.Json, GlobalOptions.Verbose];

    public static RootCommand Root()
    {
        var root = new RootCommand("A pool of ready git worktrees: claim heals, release cleans, a crash needs no human.")
        {
            GlobalOptions.Pool, GlobalOptions.Json, GlobalOptions.Verbose,
        };
        foreach (Command command in new[]
        {
            InitCommand.Create(), ClaimCommands.Claim(), ClaimCommands.ClaimMany(), ClaimCommands.Attach(), ClaimCommands.Renew(), ReleaseCommand.Create(),
            RunCommand.Create(), StatusCommand.Create(), DoctorCommand.Create(), MaintainCommand.Create(), PauseCommands.Pause(), PauseCommands.Resume(),
            RescueCommands.Create(), HistoryCommand.Create(), ConfigCommand.Create(), MigrateCommand.Create(), RemoveHostCommand.Create(), TrustCommand.Create(), Demo.DemoCommand.Create(), CompletionCommand.Create(), ManualCommand.Create(),
        })
        {
            root.Add(command);
        }

        ExampleHelp.AddTo(root);
        return root;
    }

    /// <summary>Parses and runs.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        ParseResult parsed = Root().Parse(arguments);
        bool isForShell = arguments is [['[', ..], ..];
        if (parsed.Errors.Count > 0 && !isForShell && parsed.Action is not ExampleHelp)
        {
            bool isJson = arguments.TakeWhile(argument => argument != "--").Contains("--json");
            new Output.Answer(isJson).Fail("usage", Misuse.Explain(parsed));
            return ExitCode.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    public static Command Command(string name, string description, Func<Session, CancellationToken, Task<int>> run, params IEnumerable<Symbol> symbols)
    {
        var command = new Command(name, description);
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Option option)
            {
                command.Add(option);
            }
            else
            {
                command.Add((Argument)symbol);
            }
        }

        foreach (Option option in SettingOptions.OfBehaviour().Where(setting => command.Options.All(own => own.Name != setting.Name)))
        {
            command.Add(option);
        }

        command.SetAction((parsed, _) => RunAsync(parsed, run));
        return command;
    }

    [SuppressMessage("Design", "CA1031", Justification = "The top of the program: every failure becomes a message and an exit code.")]
    private static async Task<int> RunAsync(ParseResult parsed, Func<Session, CancellationToken, Task<int>> run)
    {
        using var interrupt = new Interruption();
        await using var session = new Session(parsed, interrupt);
        try
        {
            return await run(session, interrupt.Token);
        }
        catch (SlotUnavailableException e)
        {
            return ClaimCommands.Give(session, ClaimResult.Refused(e.Refusal));
        }
        catch (OperationCanceledException) when (interrupt.Signal is { } signal)
        {
            session.Answer.Fail("interrupted", "Interrupted by a signal. What was begun was given back; see worktree-pool status.");
            return ExitCode.ForSignal(signal);
        }
        catch (Exception e)
        {
            (int code, string name) = ExitCode.For(e);
            session.Answer.Fail(name, Message(e));
            if (parsed.GetValue(GlobalOptions.Verbose))
            {
                await Console.Error.WriteLineAsync(e.ToString());
            }

            return code;
        }
    }

    private static string Message(Exception e) => e switch
    {
        WorktreePoolException or UsageException => e.Message,

        // Without the "(Parameter '…')" that means nothing to whoever types a command.
        ArgumentException { ParamName: { } name } => e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal),
        IOException or UnauthorizedAccessException =>
            $"{e.Message} The command stopped there; slots it was working on are healed by the next claim. Check the rights of that place and the disk's space, and repeat.",
        _ => $"Unexpected: {e.GetType().Name}: {e.Message} This is a bug; slots the command was working on are healed by the next claim. Please report it with the output of the same command with --verbose.",
    };
}
