namespace WorktreePool.Cli.Readiness;

/// <summary>How one check ended.</summary>
internal enum Verdict
{
    Ready,
    Warns,
    Fails,
}

/// <summary>One thing that a pool needs of a repository or a machine.</summary>
/// <param name="Id">Stable, for scripts.</param>
/// <param name="Verdict">Whether it is there.</param>
/// <param name="Detail">The evidence.</param>
/// <param name="Remedy">What to do; null when nothing needs doing.</param>
internal sealed record Check(string Id, Verdict Verdict, string Detail, string? Remedy = null)
{
    /// <summary>Passes, or else ends as said.</summary>
    public static Check That(bool holds, string id, string detail, Verdict otherwise, string remedy) => holds ? new Check(id, Verdict.Ready, detail) : new Check(id, otherwise, detail, remedy);
}
