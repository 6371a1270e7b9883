using Spectre.Console;
using Spectre.Console.Rendering;

namespace WorktreePool.Cli.Output;

/// <summary>A terminal that can show colours and move its cursor, and what is drawn on it.</summary>
internal static class Screen
{
    private const string EnterOther = "\u001b[?1049h\u001b[?25l", LeaveOther = "\u001b[?25h\u001b[?1049l", Home = "\u001b[H", ClearLine = "\u001b[K", ClearBelow = "\u001b[J";

    /// <summary>Whether standard output is such a terminal. A file, a pipe and a dumb terminal get plain text.</summary>
    public static bool IsTerminal => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    /// <summary>Draws for the terminal's width; in colour unless NO_COLOR is set.</summary>
    public static string Draw(IRenderable picture)
    {
        using var text = new StringWriter();
        bool isColourful = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = isColourful ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isColourful ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = Width;
        console.Profile.Capabilities.Unicode = true;
        console.Write(picture);
        return text.ToString().TrimEnd();
    }

    /// <summary>Shows pictures one after the other on the terminal's other screen, until <paramref name="next"/> says no; then the first screen is back as it was.</summary>
    public static async Task ShowAsync(Func<Task<string>> draw, Func<Task<bool>> next)
    {
        Console.Out.Write(EnterOther);
        try
        {
            do
            {
                // Drawn whole each time, and for the size of just now: a terminal may change its size at any time.
                IEnumerable<string> lines = (await draw()).Split('\n').Take(Math.Max(1, Console.WindowHeight - 1));
                Console.Out.Write($"{Home}{string.Join("\r\n", lines.Select(line => line.TrimEnd('\r') + ClearLine))}{ClearBelow}");
            }
            while (await next());
        }
        finally
        {
            Console.Out.Write(LeaveOther);
        }
    }

    /// <summary>The terminal's width in columns.</summary>
    public static int Width => Console.WindowWidth is > 0 and var width ? width : 80;
}
