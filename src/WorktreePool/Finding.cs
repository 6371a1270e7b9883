namespace WorktreePool;

/// <summary>One fact that makes a slot or the repository not ready.</summary>
/// <param name="Id">Stable, in kebab case; see <see cref="FindingIds"/>.</param>
/// <param name="Detail">The evidence, in words.</param>
public sealed record Finding(string Id, string Detail)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Id} ({Detail})";
}
