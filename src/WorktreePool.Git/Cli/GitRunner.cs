using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Runs git hermetically (docs/desync.md, "A hermetic git call"): no shell, an argument list, no inherited GIT_*, no system or user config, no
/// prompt, no pager, no editor, nothing discovered. Cancellation kills the whole process tree.
/// </summary>
internal sealed class GitRunner
{
    /// <summary>Set in every process that works for the pool, git or a set-up step, to what it works on.</summary>
    public const string Marker = "WORKTREE_POOL_GIT";

    /// <summary>How long a killed git may take to go: it can be in a system call.</summary>
    private static readonly TimeSpan Dying = TimeSpan.FromMilliseconds(100);

    private readonly Lazy<string> _git = new(GitExecutable.Find);

    /// <summary>Runs git and returns whatever it says.</summary>
    public async ValueTask<GitResult> TryRunAsync(GitCall call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var process = new Process { StartInfo = Describe(call) };
        CrashPoint.Reached($"git {call.Arguments[0]} to start");
        try
        {
            process.Start();
            CrashPoint.Reached($"git {call.Arguments[0]} running");
        }
        catch (Win32Exception e)
        {
            throw new GitBackendException($"git could not be started ({e.Message}). No slot was touched.", e);
        }

        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> error = call.Complaints is { } tell ? ReadLinesAsync(process.StandardError, tell) : process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await FeedAsync(process, call.Input, cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            CrashPoint.Reached($"git {call.Arguments[0]} ended");

            // A grandchild that holds the pipes open must not hold us: its output is of no interest.
            string text = await output.WaitAsync(cancellationToken).ConfigureAwait(false);
            string complaint = await error.WaitAsync(cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return new GitResult(process.ExitCode, text, complaint);
        }
        catch (OperationCanceledException)
        {
            // Here and not in a callback of the token: one that is about to be disposed may never be called.
            await EndAsync(process).ConfigureAwait(false);
            throw;
        }
    }

    private static async ValueTask FeedAsync(Process process, string? input, CancellationToken cancellationToken)
    {
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken).ConfigureAwait(false);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading its input; its exit code says why.
        }
    }

    /// <summary>Runs git.</summary>
    /// <exception cref="GitBackendException">It failed.</exception>
    public async ValueTask<GitResult> RunAsync(GitCall call, CancellationToken cancellationToken)
    {
        GitResult result = await TryRunAsync(call, cancellationToken).ConfigureAwait(false);
        return result.Succeeded ? result : throw new GitBackendException(
            $"git {string.Join(' ', call.Arguments.Take(4))} failed on {call.Subject} (exit {result.ExitCode}): {Tail(result.Error)}");
    }

    private static async Task<string> ReadLinesAsync(StreamReader reader, Action<string> tell)
    {
        var all = new StringBuilder();
        while (await reader.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
        {
            all.AppendLine(line);
            tell(line);
        }

        return all.ToString();
    }

    private static string Tail(string text)
    {
        string tail = text.Trim().ReplaceLineEndings(" / ");
        return tail.Length > 600 ? "… " + tail[^600..] : tail;
    }

    private ProcessStartInfo Describe(GitCall call)
    {
        var start = new ProcessStartInfo(_git.Value, call.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),

            // Never a slot: a relative path in some config must not lead into one.
            WorkingDirectory = Path.GetPathRoot(call.Subject)!,
        };
        IDictionary<string, string?> environment = start.Environment;
        foreach (string inherited in environment.Keys.Where(key => key.StartsWith("GIT_", StringComparison.OrdinalIgnoreCase) || key is "SSH_ASKPASS" or "LANGUAGE").ToList())
        {
            environment.Remove(inherited);
        }

        foreach ((string key, string value) in HermeticSettings.Environment)
        {
            environment[key] = value;
        }

        environment[Marker] = call.Mark;
        foreach ((string key, string value) in call.Environment)
        {
            // Empty means: not set, so that git's own default counts.
            environment[key] = value.Length == 0 ? null : value;
        }

        environment["GIT_CONFIG_COUNT"] = call.Settings.Count.ToString(CultureInfo.InvariantCulture);
        for (int i = 0; i < call.Settings.Count; i++)
        {
            environment[$"GIT_CONFIG_KEY_{i}"] = call.Settings[i].Key;
            environment[$"GIT_CONFIG_VALUE_{i}"] = call.Settings[i].Value;
        }

        return start;
    }

    /// <summary>Kills the whole tree, and waits a moment for git to be gone: whoever has the slot next must not meet it.</summary>
    private static async ValueTask EndAsync(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(Dying, TimeProvider.System).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException or TimeoutException)
        {
            // It has ended by itself; or it is in a system call, and then the next one to work on the slot looks for it again.
        }
    }
}
