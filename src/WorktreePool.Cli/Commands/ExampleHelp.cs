using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace WorktreePool.Cli.Commands;

/// <summary>The help of a command, followed by its examples.</summary>
internal sealed class ExampleHelp(SynchronousCommandLineAction help) : SynchronousCommandLineAction
{
    /// <summary>Makes the help of every command end with its examples.</summary>
    public static void AddTo(RootCommand root)
    {
        HelpOption option = root.Options.OfType<HelpOption>().Single();
        option.Action = new ExampleHelp((SynchronousCommandLineAction)option.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        IReadOnlyList<Example> examples = Examples.Of(parseResult.CommandResult.Command is RootCommand ? "" : string.Join(' ', Misuse.Path(parseResult.CommandResult)));
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (examples.Count > 0)
        {
            output.WriteLine("Examples:");
            foreach (Example example in examples)
            {
                output.WriteLine($"  # {example.Meaning}");
                output.WriteLine($"  {example.Line}");
            }

            output.WriteLine();
        }

        return code;
    }
}
