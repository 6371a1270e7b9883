using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Runs git on one worktree, in the neutral common directory; see <see cref="NeutralDirectory"/>.</summary>
internal sealed class WorktreeGit(RepositoryLayout repository, AdminDirectory admins, NeutralDirectory neutral, GitRunner git, SparseCone sparse)
{
    /// <summary>The repository that the slots belong to.</summary>
    public RepositoryLayout Repository => repository;

    /// <summary>What of the tree slots have.</summary>
    public SparseCone Sparse => sparse;

    /// <summary>A slot as a worktree.</summary>
    public GitWorktree Of(SlotPlace place, string admin) => new(place.Path, place.Slot, place.Path, admins.PathOf(admin), repository.Objects);

    public ValueTask<GitResult> TryRunAsync(GitWorktree tree, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.TryRunAsync(Call(tree, arguments), cancellationToken);

    public ValueTask<GitResult> RunAsync(GitWorktree tree, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.RunAsync(Call(tree, arguments), cancellationToken);

    /// <summary>Runs git with something on standard input.</summary>
    public ValueTask<GitResult> RunAsync(GitWorktree tree, string input, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.RunAsync(Call(tree, arguments) with { Input = input }, cancellationToken);

    /// <summary>Runs git with another index than the worktree's own.</summary>
    public ValueTask<GitResult> TryRunWithIndexAsync(GitWorktree tree, string index, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.TryRunAsync(Call(tree, arguments, index), cancellationToken);

    /// <summary>Runs git over files with another index, without the worktree's git directory. The objects go to the repository.</summary>
    public ValueTask<GitResult> TryRunAsideAsync(GitWorktree tree, string index, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.TryRunAsync(Aside(tree, index, arguments), cancellationToken);

    /// <summary>The same, with something on standard input.</summary>
    public ValueTask<GitResult> TryRunAsideAsync(GitWorktree tree, string index, string input, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.TryRunAsync(Aside(tree, index, arguments) with { Input = input }, cancellationToken);

    /// <summary>The same, where a failure is an error.</summary>
    public ValueTask<GitResult> RunAsideAsync(GitWorktree tree, string index, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.RunAsync(Aside(tree, index, arguments), cancellationToken);

    /// <summary>Runs git on the repository's objects only.</summary>
    public ValueTask<GitResult> RunOnObjectsAsync(string slot, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        Dictionary<string, string> all = neutral.EnvironmentFor(null, null, repository.Objects);
        foreach ((string key, string value) in environment)
        {
            all[key] = value;
        }

        return git.RunAsync(new GitCall(arguments) { Subject = slot, Environment = all }, cancellationToken);
    }

    private GitCall Call(GitWorktree tree, IReadOnlyList<string> arguments, string? index = null)
    {
        Dictionary<string, string> environment = neutral.EnvironmentFor(tree.Directory, tree.Path, tree.Objects);
        if (index is not null)
        {
            environment["GIT_INDEX_FILE"] = index;
        }

        return new GitCall(arguments) { Subject = tree.Slot, Environment = environment, Settings = SettingsFor(tree) };
    }

    private GitCall Aside(GitWorktree tree, string index, IReadOnlyList<string> arguments)
    {
        Dictionary<string, string> environment = neutral.EnvironmentFor(null, tree.Path, repository.Objects);
        environment["GIT_INDEX_FILE"] = index;
        return new GitCall(arguments) { Subject = tree.Slot, Environment = environment, Settings = SettingsFor(tree) };
    }

    private IReadOnlyList<KeyValuePair<string, string>> SettingsFor(GitWorktree tree) => tree.IsSlot ? sparse.Settings : [];
}
