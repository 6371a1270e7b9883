namespace WorktreePool;

/// <summary>What was read about the repository under a pool.</summary>
/// <param name="CommonDirectory">The absolute path of the repository's common git directory.</param>
/// <param name="DefaultBase">The full refname a pool resets to when none is configured: the remote's default branch, else the checked-out branch.</param>
/// <param name="Findings">What in the repository differs from the trusted baseline, or endangers slots.</param>
public sealed record RepositoryFacts(string CommonDirectory, string DefaultBase, IReadOnlyList<Finding> Findings);
