using System.Security.Cryptography;
using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests.Verification;

/// <summary>What belongs to others than the slot, at one moment.</summary>
internal sealed record Snapshot
{
    /// <summary>What nobody but its owner may change, by what it is: files outside, the leased sibling, the main checkout.</summary>
    public required IReadOnlyDictionary<string, string> Owned { get; init; }

    /// <summary>The shared config; null when there is none.</summary>
    public required string? Config { get; init; }

    /// <summary>Files that change how others work in the repository (hooks, info, alternates, shallow, rr-cache), by path, with their hash.</summary>
    public required IReadOnlyDictionary<string, string> Shared { get; init; }

    /// <summary>The refs, but for the pool's own.</summary>
    public required SortedDictionary<string, string> Refs { get; init; }

    /// <summary>What a killed git leaves in the common directory.</summary>
    public required IReadOnlyList<string> Locks { get; init; }

    public static async Task<Snapshot> TakeAsync(Bench bench)
    {
        Dictionary<string, string> owned = [];
        await AddAsync("outside", bench.Outside);
        await AddAsync("the sibling", bench.Sibling);
        await AddAsync("the main checkout", bench.Repository, ".git");
        foreach (string file in new[] { "HEAD", "gitdir", "commondir", "index", "locked", "index.lock" })
        {
            Add("the sibling's admin directory", Path.Combine(bench.SiblingAdmin, file));
        }

        foreach (string file in new[] { "HEAD", "index", "index.lock" })
        {
            Add("the main checkout's .git", Path.Combine(bench.UsersGit, file));
        }

        if (bench.IsIsolated)
        {
            // Nothing of the user's repository is the pool's.
            await AddAsync("the user's repository", bench.UsersGit);
        }

        return new Snapshot
        {
            Owned = owned,
            Config = Text(Path.Combine(bench.Common, "config")),
            Shared = SharedFiles(bench.Common),
            Refs = RefFiles.Read(bench.Common),
            Locks = LocksIn(bench.Common),
        };

        async Task AddAsync(string what, string directory, params string[] without)
        {
            foreach ((string path, string content) in await Manifest.ReadAsync(bench.Shell, directory, without))
            {
                owned[$"{what}: {path}"] = content;
            }
        }

        void Add(string what, string file)
        {
            if (File.Exists(file))
            {
                owned[$"{what}: {Path.GetFileName(file)}"] = Hash(file);
            }
        }
    }

    private static Dictionary<string, string> SharedFiles(string common)
    {
        Dictionary<string, string> files = [];
        foreach (string name in new[] { "hooks", "info", "rr-cache" })
        {
            string directory = Path.Combine(common, name);
            foreach (string file in Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories) : [])
            {
                files[Path.GetRelativePath(common, file)] = Hash(file);
            }
        }

        foreach (string name in new[] { "config.worktree", "shallow", "objects/info/alternates" })
        {
            if (File.Exists(Path.Combine(common, name)))
            {
                files[name] = Hash(Path.Combine(common, name));
            }
        }

        return files;
    }

    private static List<string> LocksIn(string common)
    {
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        return [.. Directory.EnumerateFiles(common, "*", everywhere)
            .Select(file => Path.GetRelativePath(common, file))
            .Where(file => !file.StartsWith("worktrees/", StringComparison.Ordinal) && IsLeft(Path.GetFileName(file)))];
    }

    private static bool IsLeft(string name) =>
        name.EndsWith(".lock", StringComparison.Ordinal) || name is "gc.pid" or "packed-refs.new" || name.StartsWith("tmp_", StringComparison.Ordinal);

    private static string? Text(string file) => File.Exists(file) ? File.ReadAllText(file) : null;

    private static string Hash(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))[..12];
}
