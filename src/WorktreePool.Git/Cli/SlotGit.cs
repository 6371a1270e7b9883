using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Runs git on one slot, in the neutral common directory; see <see cref="NeutralDirectory"/>.</summary>
internal sealed class SlotGit(AdminDirectory admins, NeutralDirectory neutral, GitRunner git)
{
    public ValueTask<GitResult> TryRunAsync(SlotPlace place, string admin, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.TryRunAsync(Call(place, admin, arguments), cancellationToken);

    public ValueTask<GitResult> RunAsync(SlotPlace place, string admin, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.RunAsync(Call(place, admin, arguments), cancellationToken);

    /// <summary>Runs git over the slot's files with another index, without its admin directory.</summary>
    public ValueTask<GitResult> RunAsideAsync(SlotPlace place, string index, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.RunAsync(Aside(place, index, arguments), cancellationToken);

    public ValueTask<GitResult> TryRunAsideAsync(SlotPlace place, string index, CancellationToken cancellationToken, params IReadOnlyList<string> arguments) =>
        git.TryRunAsync(Aside(place, index, arguments), cancellationToken);

    /// <summary>Runs git on objects only.</summary>
    public ValueTask<GitResult> RunOnObjectsAsync(SlotPlace place, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        Dictionary<string, string> all = neutral.EnvironmentFor(null, null);
        foreach ((string key, string value) in environment)
        {
            all[key] = value;
        }

        return git.RunAsync(new GitCall(arguments) { Subject = place.Path, Environment = all }, cancellationToken);
    }

    private GitCall Call(SlotPlace place, string admin, IReadOnlyList<string> arguments) =>
        new(arguments) { Subject = place.Path, Environment = neutral.EnvironmentFor(admins.PathOf(admin), place.Path) };

    private GitCall Aside(SlotPlace place, string index, IReadOnlyList<string> arguments)
    {
        Dictionary<string, string> environment = neutral.EnvironmentFor(null, place.Path);
        environment["GIT_INDEX_FILE"] = index;
        return new GitCall(arguments) { Subject = place.Path, Environment = environment };
    }
}
