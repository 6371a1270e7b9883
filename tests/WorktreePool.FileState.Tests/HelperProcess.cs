using System.Diagnostics;

namespace WorktreePool.FileState.Tests;

/// <summary>A real process (tests/WorktreePool.TestHelper), which dies with the test.</summary>
internal sealed class HelperProcess : IDisposable
{
    private readonly Process _process;

    private HelperProcess(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        _process = Process.Start(start)!;
    }

    public static HelperProcess Start(params string[] arguments) => new(new ProcessStartInfo("dotnet", [Program, .. arguments]));

    /// <summary>Starts it from a shell command that ends in "$@".</summary>
    public static HelperProcess StartInShell(string command, params string[] arguments) =>
        new(new ProcessStartInfo("sh", ["-c", command, "sh", "dotnet", Program, .. arguments]));

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    private static string Program => Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll");

    public async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

    /// <summary>Waits for its end.</summary>
    public async Task<(int ExitCode, string Output)> EndAsync()
    {
        string output = await _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (_process.ExitCode, output);
    }

    /// <summary>SIGKILL, and until it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
