using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests.Verification;

/// <summary>What the damage left in the shared repository. The pool need not remove it, but it must report it.</summary>
internal static class ResidueCheck
{
    /// <summary>What is left, with the finding that must mention it.</summary>
    public static async Task<List<(string What, string Finding)>> FindAsync(Bench bench, Snapshot now)
    {
        List<(string, string)> residue = [];
        Snapshot undamaged = bench.Current.Undamaged;
        if (now.Config != undamaged.Config)
        {
            residue.Add(("config", FindingIds.ConfigDrift));
        }

        foreach (string file in now.Shared.Keys.Union(undamaged.Shared.Keys).Where(file => now.Shared.GetValueOrDefault(file) != undamaged.Shared.GetValueOrDefault(file)))
        {
            residue.Add((file, file.StartsWith("hooks/", StringComparison.Ordinal) ? FindingIds.HooksDrift : file.StartsWith("config", StringComparison.Ordinal) ? FindingIds.ConfigDrift : FindingIds.InfoDrift));
        }

        // The main checkout's own lock is its user's business.
        foreach (string file in now.Locks.Where(file => file != "index.lock" || bench.IsIsolated))
        {
            residue.Add((file, FindingIds.RepositoryResidue));
        }

        foreach (string admin in Directory.EnumerateDirectories(Path.Combine(bench.Common, "worktrees")).Where(IsHalfMade))
        {
            residue.Add((admin, FindingIds.RepositoryResidue));
        }

        if (await IsForeignAsync(bench))
        {
            residue.Add((bench.Common, FindingIds.ForeignOwner));
        }

        IEnumerable<string> names = now.Refs.Keys.Union(undamaged.Refs.Keys);
        foreach (string name in bench.IsIsolated
            ? names.Where(name => name != "refs/remotes/origin/main" && now.Refs.GetValueOrDefault(name) != undamaged.Refs.GetValueOrDefault(name))
            : names.Where(name => IsLeft(bench, name) && now.Refs.ContainsKey(name) != undamaged.Refs.ContainsKey(name)))
        {
            residue.Add((name, FindingIds.RefsDrift));
        }

        SortedDictionary<string, string> upstream = RefFiles.Read(bench.Origin);
        foreach (string stale in now.Refs.Keys.Where(name => !bench.IsIsolated && IsInTheWay(name, upstream.Keys)))
        {
            residue.Add((stale, FindingIds.RefsDrift));
        }

        return residue;
    }

    /// <summary>Whether git cannot fetch some branch beside this tracking ref, because one is a directory where the other is a file.</summary>
    private static bool IsInTheWay(string tracking, IEnumerable<string> upstream)
    {
        const string Tracking = "refs/remotes/origin/", Branch = "refs/heads/";
        return tracking.StartsWith(Tracking, StringComparison.Ordinal) && Branch + tracking[Tracking.Length..] is var own
            && upstream.Any(name => name.StartsWith(own + "/", StringComparison.Ordinal) || own.StartsWith(name + "/", StringComparison.Ordinal));
    }

    /// <summary>For want of any of these git fails in every worktree.</summary>
    private static bool IsHalfMade(string admin) =>
        new[] { "HEAD", "commondir", "gitdir" }.Any(part => new FileInfo(Path.Combine(admin, part)) is not { Exists: true, Length: > 0 });

    private static async Task<bool> IsForeignAsync(Bench bench) => (await bench.Shell.TryStartAsync("find", bench.Common, "-maxdepth", "0", "-user", Environment.UserName)).Output.Length == 0;

    /// <summary>Tracking refs come and go with every fetch, and a branch that is checked out is somebody's work.</summary>
    private static bool IsLeft(Bench bench, string name) => !name.StartsWith("refs/remotes/", StringComparison.Ordinal)
        && !Directory.EnumerateDirectories(Path.Combine(bench.Common, "worktrees")).Select(admin => Path.Combine(admin, "HEAD")).Any(head => File.Exists(head) && File.ReadAllText(head).Trim() == $"ref: {name}");
}
