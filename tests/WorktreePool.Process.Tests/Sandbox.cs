using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.Process.Tests;

/// <summary>A remote, a clone, and pools over it: by the library in this process, and by the built command in others.</summary>
public sealed class Sandbox : IAsyncDisposable
{
    private readonly List<ServiceProvider> _services = [];

    public Sandbox()
    {
        Root = Directory.CreateTempSubdirectory("worktree-pool-test-").FullName;
        Git(Root, "init", "-q", "-b", "main", "seed");
        File.WriteAllText(Path.Combine(Root, "seed", "README.md"), "one\n");
        File.WriteAllText(Path.Combine(Root, "seed", ".gitignore"), "*.log\nbuild/\n");
        Git(Path.Combine(Root, "seed"), "add", "-A");
        Git(Path.Combine(Root, "seed"), "commit", "-q", "-m", "one");
        Git(Root, "clone", "-q", "--bare", "seed", "origin.git");
        Git(Root, "clone", "-q", Path.Combine(Root, "origin.git"), "repo");
    }

    public string Root { get; }

    /// <summary>Where pools opened in this process keep their state; default: in files.</summary>
    public Action<WorktreePoolBuilder> UseStore { get; init; } = builder => builder.UseFileState();

    public string Repository => Path.Combine(Root, "repo");

    public string PoolDirectory => Path.Combine(Root, "pool");

    public string Base => Git(Repository, "rev-parse", "refs/remotes/origin/main");

    public string Slot(int number) => Path.Combine(PoolDirectory, "slots", $"slot-{number}");

    public ServiceProvider Open(Action<WorktreePoolOptions>? configure = null)
    {
        var services = new ServiceCollection();
        WorktreePoolBuilder pool = services.AddWorktreePool("test", options =>
        {
            options.RepositoryPath = Repository;
            options.PoolDirectory = PoolDirectory;
            options.Slots = 2;
            configure?.Invoke(options);
        });
        UseStore(pool.UseGit());
        ServiceProvider provider = services.BuildServiceProvider();
        _services.Add(provider);
        return provider;
    }

    public IWorktreePool Pool(Action<WorktreePoolOptions>? configure = null) => Open(configure).GetRequiredKeyedService<IWorktreePool>("test");

    /// <summary>Makes the pool with the built command.</summary>
    public async Task InitAsync(int slots, params string[] more)
    {
        (int code, _, string error) = await RunAsync(["init", "--repo", Repository, "--slots", $"{slots}", .. more]);
        code.Should().Be(0, error);
    }

    /// <summary>Runs the built command.</summary>
    public Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync(new Invocation(arguments));

    public async Task<(int Code, string Output, string Error)> RunAsync(Invocation invocation)
    {
        using System.Diagnostics.Process command = Start(invocation);
        Task<string> error = command.StandardError.ReadToEndAsync();
        await command.StandardInput.WriteAsync(invocation.Input);
        command.StandardInput.Close();
        string output = await command.StandardOutput.ReadToEndAsync();
        await command.WaitForExitAsync();
        return (command.ExitCode, output, await error);
    }

    public Task<(int Code, JsonElement Json)> JsonAsync(params string[] arguments) => JsonAsync(new Invocation(arguments));

    /// <summary>Runs it with --json; fails unless its output is one line with one object.</summary>
    public async Task<(int Code, JsonElement Json)> JsonAsync(Invocation invocation)
    {
        (int code, string output, string error) = await RunAsync(invocation with { Arguments = ["--json", .. invocation.Arguments] });
        output.TrimEnd('\n').Should().NotContain("\n", error).And.StartWith("{", error);
        return (code, JsonDocument.Parse(output).RootElement);
    }

    public System.Diagnostics.Process Start(params string[] arguments) => Start(new Invocation(arguments));

    public System.Diagnostics.Process Start(Invocation invocation)
    {
        string program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "worktree-pool.exe" : "worktree-pool");
        string[] line = [.. invocation.Wrapper, program, .. invocation.Arguments];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = invocation.WorkingDirectory ?? Root,
        };
        start.Environment["WORKTREE_POOL"] = PoolDirectory;

        // Each command lives too briefly for code that is compiled twice to pay.
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach ((string name, string? value) in invocation.Environment)
        {
            start.Environment[name] = value;
        }

        return System.Diagnostics.Process.Start(start)!;
    }

    public static string Git(string where, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", ["-C", where, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string who in new[] { "AUTHOR", "COMMITTER" })
        {
            start.Environment[$"GIT_{who}_NAME"] = "Tester";
            start.Environment[$"GIT_{who}_EMAIL"] = "tester@example.invalid";
        }

        using System.Diagnostics.Process git = System.Diagnostics.Process.Start(start)!;
        string output = git.StandardOutput.ReadToEnd();
        string error = git.StandardError.ReadToEnd();
        git.WaitForExit();
        return git.ExitCode == 0 ? output.TrimEnd('\n') : throw new InvalidOperationException($"git {string.Join(' ', arguments)}: {error}");
    }

    /// <summary>By plain git: detached at base, nothing modified, untracked or ignored.</summary>
    public void ShouldBeReady(int slot)
    {
        File.ReadAllText(Path.Combine(Git(Slot(slot), "rev-parse", "--absolute-git-dir"), "HEAD")).Trim().Should().Be(Base);
        Git(Slot(slot), "--no-optional-locks", "status", "--porcelain", "--ignored").Should().BeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceProvider provider in _services)
        {
            await provider.DisposeAsync();
        }

#pragma warning disable RS0030 // Our own temporary files.
        Directory.Delete(Root, recursive: true);
#pragma warning restore RS0030
    }
}
