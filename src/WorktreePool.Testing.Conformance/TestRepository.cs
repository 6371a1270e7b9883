using System.Diagnostics;
using System.Text;

namespace WorktreePool.Testing.Conformance;

/// <summary>A real repository to test against: a remote, its clone, and a pool's directory, all in one temporary place.</summary>
internal sealed class TestRepository : IAsyncDisposable
{
    private TestRepository(string root) => Root = root;

    public string Root { get; }

    public string Origin => Path.Combine(Root, "origin.git");

    public string Main => Path.Combine(Root, "repo");

    public string Pool => Path.Combine(Root, "pool");

    /// <summary>The git directory that the slots belong to: the clone's, unless the pool has one of its own.</summary>
    public string Common { get; private init; } = "";

    /// <summary>A directory that belongs to nobody's slot: nothing in it may change.</summary>
    public string Outside => Path.Combine(Root, "outside");

    /// <summary>The commit of origin/main.</summary>
    public string Commit { get; private set; } = "";

    /// <summary>An older commit.</summary>
    public string Older { get; private set; } = "";

    /// <summary>Makes it.</summary>
    /// <param name="isIsolated">Whether the pool is to have a repository of its own, which it makes.</param>
    public static async Task<TestRepository> CreateAsync(bool isIsolated = false)
    {
        TestRepository template = await Template.Value.ConfigureAwait(false);
        string root = Directory.CreateTempSubdirectory("worktree-pool-conformance-").FullName;
        var repository = new TestRepository(root)
        {
            Common = isIsolated ? Path.Combine(root, "pool", "repository.git") : Path.Combine(root, "repo", ".git"),
            Commit = template.Commit,
            Older = template.Older,
        };
        await repository.ShellAsync(root, "cp -a -- \"$1/.\" .", template.Root).ConfigureAwait(false);
        string config = Path.Combine(root, "repo", ".git", "config");
        string text = await File.ReadAllTextAsync(config).ConfigureAwait(false);
        await File.WriteAllTextAsync(config, text.Replace(template.Root, root, StringComparison.Ordinal)).ConfigureAwait(false);
        return repository;
    }

    /// <summary>Made once and copied for every test: that takes a fifth of the time.</summary>
    private static readonly Lazy<Task<TestRepository>> Template = new(MakeAsync);

    private static async Task<TestRepository> MakeAsync()
    {
        var template = new TestRepository(Directory.CreateTempSubdirectory("worktree-pool-conformance-template-").FullName);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Process.Start("rm", ["-rf", "--", template.Root]).WaitForExit();
        Directory.CreateDirectory(template.Outside);
        Directory.CreateDirectory(template.Pool);
        await File.WriteAllTextAsync(Path.Combine(template.Outside, "precious.txt"), "precious\n").ConfigureAwait(false);
        await template.ShellAsync(template.Root, """
            git init -q -b main seed && cd seed
            mkdir -p src/deep
            echo first > README.md
            git add -A && git commit -qm first
            echo hello > README.md
            echo 'class App;' > src/app.cs
            echo deep > src/deep/data.txt
            printf 'a\r\nb\n' > mixed.txt
            printf '#!/bin/sh\n' > tool.sh && chmod +x tool.sh
            ln -s README.md link
            printf '*.log\n/bin/\n' > .gitignore
            git add -A && git commit -qm second
            cd .. && git clone -q --bare seed origin.git && git clone -q origin.git repo
            """).ConfigureAwait(false);
        template.Commit = await template.GitAsync(template.Main, "rev-parse", "origin/main").ConfigureAwait(false);
        template.Older = await template.GitAsync(template.Main, "rev-parse", "origin/main~1").ConfigureAwait(false);
        return template;
    }

    public SlotPlace Place(string slot, string? admin = null) => new(slot, Path.Combine(Pool, "slots", slot), admin);

    public string AdminDirectory(string admin) => Path.Combine(Common, "worktrees", admin);

    /// <summary>Adds a commit to the remote's main branch.</summary>
    public async Task<string> PushAsync(string file, string content)
    {
        string seed = Path.Combine(Root, "seed");
        await File.WriteAllTextAsync(Path.Combine(seed, file), content).ConfigureAwait(false);
        await ShellAsync(seed, "git add -A && git commit -qm more && git push -q ../origin.git main").ConfigureAwait(false);
        return await GitAsync(seed, "rev-parse", "HEAD").ConfigureAwait(false);
    }

    /// <summary>Goes on with another commit.</summary>
    public async Task UseAsync(string commit)
    {
        await GitAsync(Common, "fetch", "-q").ConfigureAwait(false);
        (Commit, Older) = (commit, Commit);
    }

    /// <summary>Everything that another's worktree consists of, with times: equal before and after, or it was touched.</summary>
    public Task<string> FingerprintAsync(params string[] places) =>
        ShellAsync(Root, "find \"$@\" -path '*/.git/worktrees' -prune -o -path '*/.git/objects' -prune -o -path '*/.git/worktree-pool*' -prune -o -type f -printf '%p %s %m %T@\\n' | LC_ALL=C sort; find \"$@\" -path '*/.git/worktrees' -prune -o -path '*/.git/objects' -prune -o -path '*/.git/worktree-pool*' -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha1sum", places);

    public Task<string> GitAsync(string directory, params string[] arguments) => RunAsync("git", directory, arguments);

    /// <summary>Runs a script, which may use git as a job would.</summary>
    public Task<string> ShellAsync(string directory, string script, params string[] arguments) => RunAsync("/bin/sh", directory, ["-euc", script, "sh", .. arguments]);

    public async ValueTask DisposeAsync() =>
        await RunAsync("/bin/sh", "/", ["-c", "chmod -R u+rwX -- \"$1\"; rm -rf -- \"$1\"", "sh", Root]).ConfigureAwait(false);

    private async Task<string> RunAsync(string program, string directory, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("GIT_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOME"] = Root;
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_AUTHOR_NAME"] = start.Environment["GIT_COMMITTER_NAME"] = "Worker";
        start.Environment["GIT_AUTHOR_EMAIL"] = start.Environment["GIT_COMMITTER_EMAIL"] = "worker@example.invalid";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().ConfigureAwait(false);
        return process.ExitCode == 0
            ? (await output.ConfigureAwait(false)).TrimEnd('\n')
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit {process.ExitCode}: {await error.ConfigureAwait(false)}");
    }
}
