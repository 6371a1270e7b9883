using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.Crash;

/// <summary>A pool in the state before an operation, which can be put back to it as often as needed.</summary>
public class CrashSite(Sandbox sandbox) : IAsyncDisposable
{
    private readonly Sandbox _sandbox = sandbox;
    private readonly string _template = Directory.CreateTempSubdirectory("worktree-pool-crash-").FullName;

    public CrashSite() : this(new Sandbox())
    {
    }

    public Sandbox Sandbox => _sandbox;

    /// <summary>What the killed processes find in their environment, besides the point.</summary>
    protected virtual IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>();

    /// <summary>Opens the pool in this process, the one that comes after the killed one.</summary>
    /// <param name="slots">How many slots it shall have.</param>
    /// <param name="own">Whether they belong to a repository of the pool's own, made from the remote alone.</param>
    public ServiceProvider Open(int slots, bool own = false) => _sandbox.Open(options =>
    {
        options.Slots = slots;
        if (own)
        {
            (options.RepositoryPath, options.Isolated, options.Remote) = ("", true, Path.Combine(_sandbox.Root, "origin.git"));
        }
    });

    /// <summary>Remembers the present state of everything.</summary>
    public virtual void Keep() => Shell("cp -a -- \"$1/.\" \"$2\"", _sandbox.Root, _template);

    /// <summary>Puts it back, at the same paths.</summary>
    public virtual void Restore() => Shell("find \"$1\" -mindepth 1 -delete && cp -a -- \"$2/.\" \"$1\"", _sandbox.Root, _template);

    /// <summary>All points that an operation passes, in order, each as "OCCURRENCE NAME".</summary>
    public async Task<IReadOnlyList<string>> TraceAsync(string operation)
    {
        string trace = Path.Combine(_template, "..", Path.GetFileName(_template) + ".trace");
        try
        {
            (int code, string error) = await RunAsync(operation, "WORKTREE_POOL_CRASH_TRACE", trace);
            code.Should().Be(0, error);
            return await File.ReadAllLinesAsync(trace);
        }
        finally
        {
            File.Delete(trace);
        }
    }

    /// <summary>Runs the operation in a process that is killed at a point; its exit code.</summary>
    public async Task<(int Code, string Error)> CrashAsync(string operation, string point) => await RunAsync(operation, "WORKTREE_POOL_CRASH_AT", point);

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Shell("find \"$1\" -mindepth 1 -delete", _sandbox.Root);
        await _sandbox.DisposeAsync();
        Shell("rm -rf -- \"$1\"", _template);
    }

    private async Task<(int Code, string Error)> RunAsync(string operation, string variable, string value)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), "operate", _sandbox.Root, operation])
        {
            RedirectStandardError = true,
        };
        start.Environment[variable] = value;
        foreach ((string name, string setting) in Environment)
        {
            start.Environment[name] = setting;
        }

        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(start)!;

        // Not to the end of the stream: a git that outlives its killed parent holds the other end.
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 137 ? "" : await error);
    }

    public static void Shell(string script, params string[] arguments)
    {
        using System.Diagnostics.Process shell = System.Diagnostics.Process.Start("/bin/sh", ["-euc", script, "sh", .. arguments])!;
        shell.WaitForExit();
        shell.ExitCode.Should().Be(0, script);
    }
}
