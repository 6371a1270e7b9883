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

    /// <summary>A directory that belongs to nobody's slot: nothing in it may change.</summary>
    public string Outside => Path.Combine(Root, "outside");

    /// <summary>The commit of origin/main.</summary>
    public string Commit { get; private set; } = "";

    /// <summary>An older commit.</summary>
    public string Older { get; private set; } = "";

    public static async Task<TestRepository> CreateAsync()
    {
        var repository = new TestRepository(Directory.CreateTempSubdirectory("worktree-pool-conformance-").FullName);
        string seed = Path.Combine(repository.Root, "seed");
        Directory.CreateDirectory(repository.Outside);
        Directory.CreateDirectory(repository.Pool);
        await File.WriteAllTextAsync(Path.Combine(repository.Outside, "precious.txt"), "precious\n").ConfigureAwait(false);
        await repository.ShellAsync(repository.Root, """
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
        repository.Commit = await repository.GitAsync(repository.Main, "rev-parse", "origin/main").ConfigureAwait(false);
        repository.Older = await repository.GitAsync(repository.Main, "rev-parse", "origin/main~1").ConfigureAwait(false);
        return repository;
    }

    public SlotPlace Place(string slot, string? admin = null) => new(slot, Path.Combine(Pool, "slots", slot), admin);

    public string AdminDirectory(string admin) => Path.Combine(Main, ".git", "worktrees", admin);

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
        await GitAsync(Main, "fetch", "-q").ConfigureAwait(false);
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
