using System.ComponentModel;
using System.Diagnostics;

namespace WorktreePool.Cli.Output;

/// <summary>
/// Shows a long text page by page, with less, where a person reads it on a terminal. Which pager is fixed here: no variable and no git
/// config is asked, for either may come from a slot; and less is told to run nothing.
/// </summary>
internal static class Pager
{
    /// <summary>Writes the text, or lets it be paged when it does not fit.</summary>
    public static async Task ShowAsync(string text, bool mayPage)
    {
        if (!mayPage || !Screen.IsTerminal || Console.IsInputRedirected || text.AsSpan().Count('\n') + 2 <= Console.WindowHeight || Start() is not { } pager)
        {
            await Console.Out.WriteLineAsync(text);
            return;
        }

        using (pager)
        {
            try
            {
                await pager.StandardInput.WriteLineAsync(text);
                pager.StandardInput.Close();
            }
            catch (IOException)
            {
                // The reader has seen enough.
            }

            // Ctrl-C is the pager's: it stops a search, and does not end the reading.
            await pager.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static Process? Start()
    {
        string? less = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Where(Path.IsPathRooted).Select(directory => Path.Combine(directory, "less")).FirstOrDefault(File.Exists);
        if (less is null)
        {
            return null;
        }

        var start = new ProcessStartInfo(less, ["-R", "-F", "-X"]) { RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = Path.GetPathRoot(less)! };
        foreach (string variable in start.Environment.Keys.Where(name => name.StartsWith("LESS", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable);
        }

        start.Environment["LESSSECURE"] = "1";
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
