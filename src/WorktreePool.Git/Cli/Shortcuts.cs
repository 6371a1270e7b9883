using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Files that git makes from objects to be quicker, and believes in their place: the commit-graph, the index over many packs, bitmaps. The pool's own
/// git does not use them; whoever works in the repository does, and one that lies gives commits another tree.
/// </summary>
internal sealed class Shortcuts(RepositoryLayout repository, Baseline baseline, RepositoryRefs refs, TimeProvider time)
{
    /// <summary>Reading all objects of a very large repository takes longer; then a right checksum has to do.</summary>
    private static readonly TimeSpan LongestVerification = TimeSpan.FromSeconds(5);

    private string Info => Path.Combine(repository.Objects, "info");

    private string Packs => Path.Combine(repository.Objects, "pack");

    /// <summary>Those that are damaged, or say something else than the objects.</summary>
    public async ValueTask<List<Finding>> FindWrongAsync(CancellationToken cancellationToken)
    {
        List<string> graphs = [.. Present(Path.Combine(Info, "commit-graph")), .. In(Path.Combine(Info, "commit-graphs"), "*.graph")];
        List<string> overPacks = [.. Present(Path.Combine(Packs, "multi-pack-index"))];
        List<string> all = [.. graphs, .. overPacks, .. In(Packs, "*.bitmap"), .. In(Packs, "*.rev")];
        int length = Checksum.LengthIn(baseline.Current.ObjectFormat);
        List<string> damaged = [.. all.Where(file => !IsWhole(file, length))];
        List<Finding> findings = [.. damaged.Select(file => Wrong(file, "is damaged"))];
        if (graphs.Count > 0 && !graphs.Exists(damaged.Contains))
        {
            findings.AddRange(await VerifyAsync(graphs[0], cancellationToken, "commit-graph", "verify", "--no-progress").ConfigureAwait(false));
        }

        if (overPacks.Count > 0 && !overPacks.Exists(damaged.Contains))
        {
            findings.AddRange(await VerifyAsync(overPacks[0], cancellationToken, "multi-pack-index", "verify", "--no-progress").ConfigureAwait(false));
        }

        return findings;
    }

    private async ValueTask<IEnumerable<Finding>> VerifyAsync(string file, CancellationToken cancellationToken, params string[] verify)
    {
        using var limit = new CancellationTokenSource(LongestVerification, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            GitResult verified = await refs.TryRunAsync(either.Token, verify).ConfigureAwait(false);
            return verified.Succeeded ? [] : [Wrong(file, $"does not say what the objects say ({verified.Error.Trim().Split('\n')[0]})")];
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [];
        }
    }

    private Finding Wrong(string file, string how) => new(
        FindingIds.RepositoryResidue,
        $"{Path.GetRelativePath(repository.CommonDirectory, file)} {how}: git in the repository may fail or show another history, the pool's own does not use it. Delete it; git gc makes it anew");

    private static IEnumerable<string> Present(string file) => SafeFile.Exists(file) ? [file] : [];

    private static string[] In(string directory, string pattern) => SafeFile.IsRealDirectory(directory) ? Directory.GetFiles(directory, pattern) : [];

    private static bool IsWhole(string file, int length)
    {
        try
        {
            return SafeFile.IsRealFile(file) && Checksum.IsRight(file, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
