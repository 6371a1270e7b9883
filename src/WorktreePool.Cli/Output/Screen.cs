using System.Runtime.InteropServices;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace WorktreePool.Cli.Output;

/// <summary>A terminal that can show colours and move its cursor, and what is drawn on it.</summary>
internal static class Screen
{
    private const string EnterOther = "\u001b[?1049h\u001b[?25l", LeaveOther = "\u001b[?25h\u001b[?1049l", Home = "\u001b[H", ClearLine = "\u001b[K", ClearBelow = "\u001b[J";

    /// <summary>Whether standard output is such a terminal. A file, a pipe and a dumb terminal get plain text.</summary>
    public static bool IsTerminal => !System.Console.IsOutputRedirected && CanMoveCursor;

    /// <summary>Whether the terminal, if there is one, obeys more than line ends.</summary>
    public static bool CanMoveCursor => Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    /// <summary>Whether colours are wanted: see no-color.org.</summary>
    public static bool IsColourful => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>The terminal's width in columns.</summary>
    public static int Width => System.Console.WindowWidth is > 0 and var width ? width : 80;

    /// <summary>The terminal's height in lines.</summary>
    public static int Height => System.Console.WindowHeight is > 0 and var height ? height : 24;

    /// <summary>A Spectre console of the terminal's width; in colour unless NO_COLOR is set.</summary>
    public static IAnsiConsole Console(TextWriter to, InteractionSupport interaction)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(to),
            Ansi = IsColourful || interaction == InteractionSupport.Yes ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = IsColourful ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = interaction,
        });
        console.Profile.Width = Width;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    /// <summary>Draws for the terminal's width.</summary>
    public static string Draw(IRenderable picture)
    {
        using var text = new StringWriter();
        Console(text, InteractionSupport.No).Write(picture);
        return text.ToString().TrimEnd();
    }

    /// <summary>
    /// Shows a picture on the terminal's other screen, again and again, until cancelled or until q is pressed; then the first screen is back as
    /// it was. Drawn anew at once when the terminal changes its size, and handed back while the program is stopped (Ctrl-Z).
    /// </summary>
    public static async Task WatchAsync(Func<int, Task<string>> draw, TimeSpan every, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var changed = new SemaphoreSlim(0);
        List<PosixSignalRegistration> signals = OperatingSystem.IsWindows() ? [] :
        [
            PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => changed.Release()),
            PosixSignalRegistration.Create(PosixSignal.SIGTSTP, _ => System.Console.Out.Write(LeaveOther)),
            PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
            {
                System.Console.Out.Write(EnterOther);
                changed.Release();
            }),
        ];
        System.Console.Out.Write(EnterOther);
        try
        {
            EndOnKey(ended);
            while (!ended.IsCancellationRequested)
            {
                int height = Height;
                IEnumerable<string> lines = (await draw(height)).Split('\n').Take(height);
                System.Console.Out.Write($"{Home}{string.Join("\r\n", lines.Select(line => line.TrimEnd('\r') + ClearLine))}{ClearBelow}");
                await changed.WaitAsync(every, ended.Token);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The person at the keyboard has had enough.
        }
        finally
        {
            signals.ForEach(signal => signal.Dispose());
            System.Console.Out.Write(LeaveOther);
        }
    }

    /// <summary>Reads keys in the background: a read of the terminal ends for no token, and the process does not wait for it.</summary>
    private static void EndOnKey(CancellationTokenSource ended)
    {
        if (!System.Console.IsInputRedirected)
        {
            new Thread(() =>
            {
                try
                {
                    while (System.Console.ReadKey(intercept: true).Key is not (ConsoleKey.Q or ConsoleKey.Escape))
                    {
                    }

                    ended.Cancel();
                }
                catch (Exception e) when (e is InvalidOperationException or IOException or ObjectDisposedException)
                {
                    // The terminal is gone, or the watch has ended meanwhile.
                }
            })
            { IsBackground = true }.Start();
        }
    }
}
