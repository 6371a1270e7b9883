using System.Diagnostics;

namespace WorktreePool.Desync.Tests.Fixture;

/// <summary>Runs programs with nothing inherited that could make a difference.</summary>
internal sealed class Shell(IReadOnlyDictionary<string, string> variables)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Runs a script; its output goes to a file, so that what it leaves running cannot hold anybody up.</summary>
    /// <returns>The exit code and the end of what it said.</returns>
    public async Task<(int Code, string Output)> TryRunAsync(string script, TimeSpan? limit = null)
    {
        string log = Path.GetTempFileName();
        try
        {
            (int code, _) = await StartAsync("bash", ["-c", $"exec > {log} 2>&1 < /dev/null\nset -e\n{script}"], limit ?? Limit);
            string said = await File.ReadAllTextAsync(log);
            return (code, said.Length > 2000 ? said[^2000..] : said);
        }
        finally
        {
            File.Delete(log);
        }
    }

    public async Task RunAsync(string script)
    {
        (int code, string output) = await TryRunAsync(script);
        code.Should().Be(0, "a script of the bench must work; it said: {0}", output);
    }

    /// <summary>Runs a program and returns its output.</summary>
    public async Task<(int Code, string Output)> TryStartAsync(string program, params string[] arguments) => await StartAsync(program, arguments, Limit);

    private async Task<(int Code, string Output)> StartAsync(string program, string[] arguments, TimeSpan limit)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = "/", RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment.Clear();
        foreach ((string key, string value) in variables)
        {
            start.Environment[key] = value;
        }

        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var late = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return (124, $"took longer than {limit}");
        }

        return (process.ExitCode, process.ExitCode == 0 ? await output : await output + await error);
    }
}
