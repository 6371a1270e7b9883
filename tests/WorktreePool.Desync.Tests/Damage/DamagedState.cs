namespace WorktreePool.Desync.Tests.Damage;

/// <summary>
/// One way in which a slot is found damaged. The script is what a worker, a crash or another tool did to it: bash, in the slot, as
/// <see cref="Fixture.Bench"/> describes; a command that fails fails the test, so that no state is tested by doing nothing.
/// </summary>
/// <param name="Id">The state's name in docs/desync.md.</param>
/// <param name="Script">What is done.</param>
internal sealed record DamagedState(string Id, string Script)
{
    /// <summary>Whether it is about a repository with a submodule.</summary>
    public bool InSubmodule { get; init; }

    /// <summary>Whether only root can bring it about: other owners, immutable files, mounts.</summary>
    public bool NeedsRoot { get; init; }

    /// <summary>Whether what was done cannot always be undone: then a quarantine that says why is right, too.</summary>
    public bool MayQuarantine { get; init; }

    /// <summary>Environment variables that leak from the host into the process that claims. <c>$ROOT</c> stands for the bench's root.</summary>
    public IReadOnlyDictionary<string, string> Leaked { get; init; } = new Dictionary<string, string>();

    /// <summary>The pool's keep patterns.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Id;
}
