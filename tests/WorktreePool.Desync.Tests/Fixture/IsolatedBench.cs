namespace WorktreePool.Desync.Tests.Fixture;

/// <summary>
/// A bench whose pool has a repository of its own: that is <c>$COMMON</c> and <c>$REPO</c> of the scripts, and the user's clone is a bystander. It borrows
/// the clone's objects.
/// </summary>
public sealed class IsolatedBench : Bench
{
    internal override bool IsIsolated => true;

    internal override bool Borrows => true;
}

/// <summary>The same, made from the remote alone: it has all objects itself, so that they can be damaged.</summary>
public sealed class RemoteBench : Bench
{
    internal override bool IsIsolated => true;
}
