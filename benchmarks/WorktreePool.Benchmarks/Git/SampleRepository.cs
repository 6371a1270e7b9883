using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.Benchmarks.Git;

/// <summary>
/// A repository of so many files, 40 to a directory and 2 KiB each, with a base and a commit that differs from it in 50 files; beside it a bare
/// worktree for the floors. Made once per size, with git's own fast-import, and removed when the process ends.
/// </summary>
internal sealed class SampleRepository
{
    private const int FilesPerDirectory = 40;
    private const int FilesMoved = 50;

    private static readonly ConcurrentDictionary<int, Lazy<SampleRepository>> Made = new();

    private SampleRepository(int files)
    {
        Files = files;
        Root = Scratch.Create();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Scratch.Remove(Root);
        string origin = Path.Combine(Root, "origin.git");
        Scratch.Git(Root, "init", "-q", "--bare", "-b", "main", origin);
        Import(origin);
        Scratch.Git(Root, "clone", "-q", "--no-checkout", origin, Main);
        Base = Scratch.Git(Main, "rev-parse", "origin/main");
        Next = Scratch.Git(Main, "rev-parse", "origin/next");
        Floor = Path.Combine(Root, "floor");
        Scratch.Git(Main, "worktree", "add", "-q", "--detach", Floor, Base);
    }

    public int Files { get; }

    public string Root { get; }

    /// <summary>The repository, without a checkout of its own.</summary>
    public string Main => Path.Combine(Root, "repo");

    /// <summary>A worktree made by git alone: what the floors are measured in.</summary>
    public string Floor { get; }

    public string Base { get; }

    /// <summary>50 files away from the base.</summary>
    public string Next { get; }

    public static SampleRepository Of(int files) => Made.GetOrAdd(files, size => new Lazy<SampleRepository>(() => new SampleRepository(size))).Value;

    /// <summary>A new pool over it, all slots ready: file store with fsync, automatic backend.</summary>
    public Task<PoolUnderTest> CreatePoolAsync(int slots, Action<WorktreePoolOptions>? configure = null) => PoolUnderTest.CreateAsync(
        options =>
        {
            options.RepositoryPath = Main;
            options.PoolDirectory = Path.Combine(Root, $"pool-{Guid.NewGuid():N}");
            options.Slots = slots;
            options.ClaimTimeout = options.ReleaseTimeout = TimeSpan.FromMinutes(5);
            configure?.Invoke(options);
        },
        builder => builder.UseGit().UseFileState());

    /// <summary>Leaves what a job leaves: 10 changed, 10 new and 1,000 ignored files.</summary>
    public void Dirty(string slot)
    {
        for (int i = 0; i < 10; i++)
        {
            File.AppendAllText(Path.Combine(slot, NameOf(i * (Files / 10))), "changed\n");
            File.WriteAllText(Path.Combine(slot, $"new-{i}.txt"), "new\n");
        }

        string ignored = Path.Combine(slot, "build");
        Directory.CreateDirectory(ignored);
        for (int i = 0; i < 1000; i++)
        {
            File.WriteAllText(Path.Combine(ignored, $"{i}.o"), "object\n");
        }
    }

    private static string NameOf(int file) => string.Create(CultureInfo.InvariantCulture, $"src/area-{file / FilesPerDirectory / 20}/part-{file / FilesPerDirectory}/file-{file}.txt");

    private static string Text(int file, string version) => string.Concat(Enumerable.Repeat($"line of file {file}, {version}: the quick brown fox jumps over the lazy dog\n", 30));

    private void Import(string origin)
    {
        var start = new ProcessStartInfo("git", ["-C", origin, "fast-import", "--quiet"]) { RedirectStandardInput = true };
        using Process import = Process.Start(start)!;
        using (StreamWriter stream = import.StandardInput)
        {
            stream.NewLine = "\n";
            Commit(stream, "refs/heads/main", null, Enumerable.Range(0, Files), "one");
            stream.Write("M 100644 inline .gitignore\ndata 7\nbuild/\n");
            stream.Write("\n");
            int step = Math.Max(1, Files / FilesMoved);
            Commit(stream, "refs/heads/next", "refs/heads/main", Enumerable.Range(0, FilesMoved).Select(i => i * step), "two");
        }

        import.WaitForExit();
        if (import.ExitCode != 0)
        {
            throw new InvalidOperationException($"git fast-import ended with {import.ExitCode}");
        }
    }

    private static void Commit(StreamWriter stream, string branch, string? from, IEnumerable<int> files, string version)
    {
        stream.Write($"commit {branch}\ncommitter Benchmark <benchmark@example.invalid> 1750000000 +0000\ndata {version.Length}\n{version}\n");
        stream.Write(from is null ? "" : $"from {from}\n");
        foreach (int file in files)
        {
            string text = Text(file, version);
            stream.Write($"M 100644 inline {NameOf(file)}\ndata {text.Length}\n{text}");
        }
    }
}
