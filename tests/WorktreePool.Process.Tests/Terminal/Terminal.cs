using System.Text;
using System.Text.RegularExpressions;

namespace WorktreePool.Process.Tests.Terminal;

/// <summary>A shell on a terminal, made by script(1), with a person at its keyboard.</summary>
internal sealed partial class Terminal : IDisposable
{
    private readonly System.Diagnostics.Process _script;
    private readonly StringBuilder _seen = new();
    private readonly char[] _buffer = new char[4096];

    private Terminal(System.Diagnostics.Process script) => _script = script;

    public string Seen => _seen.ToString();

    /// <summary>What was seen, without what moves the cursor and colours.</summary>
    public string Text => Plain(Seen);

    public static bool IsHere => OperatingSystem.IsLinux() && File.Exists("/usr/bin/script");

    public static string Plain(string text) => Sequence().Replace(text, "");

    /// <summary>Runs a shell script there; in it, COMMAND is the command.</summary>
    public static Terminal Start(Sandbox sandbox, int columns, int rows, string script) => new(sandbox.Start(Invocation(columns, rows, script)));

    /// <summary>The same for a script that ends by itself.</summary>
    public static Invocation Invocation(int columns, int rows, string script) => new()
    {
        Wrapper = ["sh", "-c", "exec script -qec \"$1\" /dev/null", "sh", $"trap : INT; stty cols {columns} rows {rows}; {script.Replace("COMMAND", $"'{Path.Combine(AppContext.BaseDirectory, "worktree-pool")}'", StringComparison.Ordinal)}"],
        // script(1) runs what SHELL names; a shell that is not interactive may end at an interrupt that its job has handled, unless it has a trap.
        Environment = new Dictionary<string, string?> { ["TERM"] = "xterm-256color", ["NO_COLOR"] = null, ["SHELL"] = "/bin/sh" },
    };

    public async Task TypeAsync(string keys)
    {
        await _script.StandardInput.WriteAsync(keys);
        await _script.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Looks at the screen until something is seen there.</summary>
    public async Task WhenSeenAsync(Func<string, bool> isIt)
    {
        while (!isIt(Seen))
        {
            int count = await _script.StandardOutput.ReadAsync(_buffer, TestContext.Current.CancellationToken);
            count.Should().BePositive("it has ended, and only this was seen: " + Text);
            _seen.Append(_buffer, 0, count);
        }
    }

    public async Task<int> EndAsync()
    {
        _seen.Append(await _script.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await _script.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _script.ExitCode;
    }

    public void Dispose()
    {
        if (!_script.HasExited)
        {
            _script.Kill(entireProcessTree: true);
        }

        _script.Dispose();
    }

    [GeneratedRegex("\u001b(\\[[0-9;?]*[a-zA-Z]|[=>])")]
    private static partial Regex Sequence();
}
