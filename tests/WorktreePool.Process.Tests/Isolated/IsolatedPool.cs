using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.Isolated;

/// <summary>A pool with a repository of its own, while workers use git in its slots.</summary>
/// <param name="byCommand">Whether the pool is used by the built command, as people do, or in this process, which takes a fifth of the time.</param>
public sealed class IsolatedPool(bool byCommand) : IAsyncDisposable
{
    private int _slots;
    private string? _clone, _remote;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public Sandbox Sandbox { get; } = Make();

    public string Root => Sandbox.Root;

    /// <summary>The repository that the slots belong to.</summary>
    public string Own => Path.Combine(Sandbox.PoolDirectory, "repository.git");

    public string Origin => Path.Combine(Root, "origin.git");

    /// <summary>Appears when something that was planted runs.</summary>
    public string Canary => Path.Combine(Root, "PWNED");

    private string Home => Path.Combine(Root, "home");

    private static Sandbox Make()
    {
        var sandbox = new Sandbox();
        Directory.CreateDirectory(Path.Combine(sandbox.Root, "home"));
        Directory.CreateDirectory(Path.Combine(sandbox.Root, "outside"));
        return sandbox;
    }

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();

    /// <summary>Makes the pool.</summary>
    /// <param name="slots">How many slots.</param>
    /// <param name="clone">The clone to borrow from; null for none.</param>
    /// <param name="remote">What to fetch from; null: what the clone fetches from.</param>
    public async Task InitAsync(int slots, string? clone, string? remote)
    {
        (_slots, _clone, _remote) = (slots, clone, remote);
        if (byCommand)
        {
            (int code, JsonElement json) = await RunAsync(["init", "--isolated", "--slots", $"{slots}", .. clone is null ? Array.Empty<string>() : ["--repo", clone], .. remote is null ? Array.Empty<string>() : ["--remote", remote]]);
            code.Should().Be(0, json.ToString());
        }
        else
        {
            await using ServiceProvider services = Open();
            await services.GetRequiredKeyedService<IPoolOperator>("test").InitializeAsync(Token);
        }
    }

    /// <summary>Runs the command; its exit code and its answer.</summary>
    public Task<(int Code, JsonElement Json)> RunAsync(params string[] arguments) => Sandbox.JsonAsync(Invoke(arguments));

    public Invocation Invoke(params string[] arguments) => new(arguments) { Environment = new Dictionary<string, string?> { ["HOME"] = Home, ["XDG_CONFIG_HOME"] = null } };

    /// <summary>Claims; the slot is ready by plain git.</summary>
    public async Task<Held> ClaimAsync(string key, string? branch = null, string? from = null)
    {
        Held held;
        if (byCommand)
        {
            (int code, JsonElement json) = await RunAsync(["claim", "--key", key, .. branch is null ? Array.Empty<string>() : ["--branch", branch], .. from is null ? Array.Empty<string>() : ["--base", from]]);
            code.Should().Be(0, json.ToString());
            held = new Held(json.GetProperty("path").GetString()!, json.GetProperty("commit").GetString()!, [.. json.GetProperty("healed").EnumerateArray().Select(id => id.GetString()!)]);
        }
        else
        {
            // Each time by a pool that remembers nothing.
            await using ServiceProvider services = Open();
            SlotLease lease = await services.GetRequiredKeyedService<IWorktreePool>("test").ClaimAsync(new ClaimRequest { Key = key, Branch = branch, Base = from }, Token);
            lease.Detach();
            held = new Held(lease.Path, lease.Commit, [.. lease.Healed]);
        }

        Sandbox.Git(held.Path, "--no-optional-locks", "status", "--porcelain", "--ignored").Should().BeEmpty();
        Sandbox.Git(held.Path, "rev-parse", "HEAD").Should().Be(held.Commit);
        return held;
    }

    /// <summary>Releases; the ids of what was rescued.</summary>
    public async Task<string[]> ReleaseAsync(string key, bool discard = false)
    {
        if (byCommand)
        {
            (int code, JsonElement json) = await RunAsync(["release", "--key", key, .. discard ? ["--discard"] : Array.Empty<string>()]);
            code.Should().Be(0, json.ToString());
            return [.. json.GetProperty("rescued").EnumerateArray().Select(id => id.GetString()!)];
        }

        await using ServiceProvider services = Open();
        return [.. (await services.GetRequiredKeyedService<IPoolOperator>("test").ReleaseAsync(key, discard ? ReleaseMode.Discard : null, Token)).Rescued];
    }

    /// <summary>Makes a branch of a rescue.</summary>
    public async Task RestoreAsync(string id, string branch)
    {
        await using ServiceProvider services = Open();
        await services.GetRequiredKeyedService<IPoolOperator>("test").Rescues.RestoreAsync(id, branch, Token);
    }

    /// <summary>The ids of the doctor's findings about the repository.</summary>
    public async Task<string[]> DoctorAsync()
    {
        await using ServiceProvider services = Open();
        return [.. (await services.GetRequiredKeyedService<IPoolOperator>("test").ExamineAsync(fix: false, Token)).Repository.Select(finding => finding.Id)];
    }

    /// <summary>The texts of a file in all rescues that have it, sorted.</summary>
    public string[] Rescued(string file) =>
        [.. Sandbox.Git(Own, "for-each-ref", "--format=%(refname)", "refs/worktree-pool/rescue/").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(name => Sandbox.Git(Own, "ls-tree", "--name-only", name, file).Length > 0).Select(name => Sandbox.Git(Own, "show", $"{name}:{file}")).Order(StringComparer.Ordinal)];

    /// <summary>The refs that are not a rescue, as short names.</summary>
    public string[] Refs() =>
        [.. Sandbox.Git(Own, "for-each-ref", "--format=%(refname)").Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => !name.StartsWith("refs/worktree-pool/", StringComparison.Ordinal)).Select(name => name["refs/".Length..])];

    /// <summary>A commit on the remote's branch, by somebody else.</summary>
    public string Push(string branch = "main")
    {
        Shell(Path.Combine(Root, "seed"), $"echo {branch} >> upstream.txt && git add -A && git commit -qm upstream && git push -q ../origin.git HEAD:refs/heads/{branch}");
        return Sandbox.Git(Path.Combine(Root, "seed"), "rev-parse", "HEAD");
    }

    private ServiceProvider Open() => Sandbox.Open(options =>
        (options.Slots, options.RepositoryPath, options.Isolated, options.Remote, options.ClaimTimeout) = (_slots, _clone ?? "", true, _remote, TimeSpan.FromSeconds(30)));

    /// <summary>What a worker does: /bin/sh, which ends at the first failure.</summary>
    public void Shell(string where, string script)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-euc", script]) { WorkingDirectory = where, RedirectStandardError = true };
        (start.Environment["ROOT"], start.Environment["HOME"], start.Environment["OWN"]) = (Root, Home, Own);
        foreach (string who in new[] { "AUTHOR", "COMMITTER" })
        {
            start.Environment[$"GIT_{who}_NAME"] = "Worker";
            start.Environment[$"GIT_{who}_EMAIL"] = "worker@example.invalid";
        }

        using System.Diagnostics.Process shell = System.Diagnostics.Process.Start(start)!;
        string error = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        shell.ExitCode.Should().Be(0, $"{script}: {error}");
    }
}

/// <summary>A claimed slot.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Commit">The commit it was given at.</param>
/// <param name="Healed">Ids of what had been wrong.</param>
public sealed record Held(string Path, string Commit, IReadOnlyList<string> Healed);
