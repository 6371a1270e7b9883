using System.Diagnostics;

namespace WorktreePool.Cli.Demo;

/// <summary>The demo's scratch repository, made and examined with plain git as a person would.</summary>
internal sealed class Scratch(string directory)
{
    public string Repository { get; } = Path.Combine(directory, "repo");

    public string Pool { get; } = Path.Combine(directory, "pool");

    public string Slot(int number) => Path.Combine(Pool, "slots", $"slot-{number}");

    /// <summary>A remote with some files, one of them behind a slow filter, and a clone.</summary>
    public async Task MakeAsync()
    {
        string seed = Path.Combine(directory, "seed"), origin = Path.Combine(directory, "origin.git");
        Directory.CreateDirectory(Path.Combine(seed, "src"));
        await GitAsync(directory, "init", "-q", "-b", "main", seed);
        await File.WriteAllTextAsync(Path.Combine(seed, "README.md"), "A repository to show a pool with.\n");
        await File.WriteAllTextAsync(Path.Combine(seed, ".gitignore"), "*.log\nbuild/\n");
        await File.WriteAllTextAsync(Path.Combine(seed, ".gitattributes"), "*.bin filter=slow\n");
        await File.WriteAllTextAsync(Path.Combine(seed, "model.bin"), "weights\n");
        for (int i = 0; i < 200; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(seed, "src", $"file{i}.txt"), $"content {i}\n");
        }

        await GitAsync(seed, "add", "-A");
        await GitAsync(seed, "commit", "-q", "-m", "A start");
        await GitAsync(directory, "clone", "-q", "--bare", seed, origin);
        await GitAsync(directory, "clone", "-q", origin, Repository);

        // The user's own filter, trusted because it was there when the pool was made. It makes a checkout slow enough to be killed in.
        await GitAsync(Repository, "config", "filter.slow.smudge", "sleep 0.7; cat");
        await GitAsync(Repository, "config", "filter.slow.clean", "cat");
    }

    /// <summary>Runs git and returns what it says; fails if it fails.</summary>
    public static async Task<string> GitAsync(string where, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", ["-C", where, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string name in new[] { "AUTHOR", "COMMITTER" })
        {
            start.Environment[$"GIT_{name}_NAME"] = "Demo";
            start.Environment[$"GIT_{name}_EMAIL"] = "demo@example.invalid";
        }

        using Process git = Process.Start(start) ?? throw new InvalidOperationException("git did not start");
        Task<string> error = git.StandardError.ReadToEndAsync();
        string output = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return git.ExitCode == 0 ? output.TrimEnd() : throw new IOException($"git {string.Join(' ', arguments)} failed: {(await error).Trim()}");
    }

    /// <summary>What plain git says of a slot: where HEAD is, and how many paths are not clean.</summary>
    public async Task<(string Head, int Dirty)> ExamineAsync(int slot)
    {
        string branch = await GitAsync(Slot(slot), "rev-parse", "--abbrev-ref", "HEAD");
        string commit = await GitAsync(Slot(slot), "rev-parse", "--short", "HEAD");
        string status = await GitAsync(Slot(slot), "--no-optional-locks", "status", "--porcelain", "--ignored");
        return (branch == "HEAD" ? $"detached at {commit}" : $"on {branch}", status.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    /// <summary>Deletes the scratch directory; one that refuses is named, not hidden.</summary>
    public void Delete()
    {
        try
        {
#pragma warning disable RS0030 // Our own scratch files: nothing odd in them.
            Directory.Delete(directory, recursive: true);
#pragma warning restore RS0030
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"worktree-pool: {directory} could not be deleted: {e.Message}");
        }
    }
}
