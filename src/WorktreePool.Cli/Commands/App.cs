using System.CommandLine;

namespace WorktreePool.Cli.Commands;

/// <summary>The command tree, and how every command is run and every failure told.</summary>
internal static class App
{
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
            RescueCommands.Create(), HistoryCommand.Create(), ConfigCommand.Create(), TrustCommand.Create(), Demo.DemoCommand.Create(),
        })
        {
            root.Add(command);
        }

        return root;
    }

    /// <summary>Parses and runs.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        ParseResult parsed = Root().Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            new Output.Answer(arguments.TakeWhile(argument => argument != "--").Contains("--json")).Fail("usage", string.Join(" ", parsed.Errors.Select(error => error.Message)) + " See --help.");
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

        command.SetAction((parsed, _) => RunAsync(parsed, run));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, Func<Session, CancellationToken, Task<int>> run)
    {
        await using var session = new Session(parsed);
        using var interrupt = new Interruption();
        try
        {
            return await run(session, interrupt.Token);
        }
        catch (SlotUnavailableException e)
        {
            return ClaimCommands.Give(session, ClaimResult.Refused(e.Refusal));
        }
        catch (Exception e) when (e is WorktreePoolException or UsageException or ArgumentException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            (int code, string name) = ExitCode.For(e);
            session.Answer.Fail(name, e is OperationCanceledException ? "interrupted" : Message(e));
            if (parsed.GetValue(GlobalOptions.Verbose))
            {
                await Console.Error.WriteLineAsync(e.ToString());
            }

            return code;
        }
    }

    /// <summary>Without the "(Parameter '…')" that means nothing to whoever types a command.</summary>
    private static string Message(Exception e) => e is ArgumentException { ParamName: { } name } ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;
}
