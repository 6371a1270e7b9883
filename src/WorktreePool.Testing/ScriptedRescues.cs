namespace WorktreePool.Testing;

/// <summary>The rescues of a <see cref="ScriptedGitBackend"/>.</summary>
internal sealed class ScriptedRescues(ScriptedGitBackend git) : IRescueArchive
{
    private readonly Dictionary<string, (Rescue Rescue, string Content)> _kept = new(StringComparer.Ordinal);

    public ValueTask<IReadOnlyList<Rescue>> ListAsync(CancellationToken cancellationToken) =>
        new(git.Locked<IReadOnlyList<Rescue>>(() => [.. _kept.Values.Select(kept => kept.Rescue).OrderByDescending(rescue => rescue.At).ThenByDescending(rescue => rescue.Id, StringComparer.Ordinal)]));

    public ValueTask<string> ShowAsync(string id, CancellationToken cancellationToken) =>
        new(git.Locked(() => $"commit {Get(id).Rescue.Commit}\n{Get(id).Content}\n"));

    public ValueTask<string> RestoreAsync(string id, string branch, CancellationToken cancellationToken)
    {
        git.Locked(() =>
        {
            Rescue rescue = Get(id).Rescue;
            if (git.Find("refs/heads/" + branch) is not null)
            {
                throw new BranchExistsException($"The branch {branch} exists already. Nothing was changed; restore to another name.");
            }

            git.SetRef("refs/heads/" + branch, rescue.Commit);
        });
        return new("/scripted/.git");
    }

    public ValueTask DropAsync(string id, CancellationToken cancellationToken)
    {
        git.Locked(() =>
        {
            git.RemoveRef(Get(id).Rescue.Ref);
            _kept.Remove(id);
        });
        return default;
    }

    /// <summary>Keeps work once: the same slot, epoch and content give the rescue made before.</summary>
    internal Rescue Keep(SlotPlace place, RescueRequest request, string? head, IReadOnlyCollection<string> files, IReadOnlyList<string> commits)
    {
        string content = $"files: {string.Join(", ", files)}\ncommits: {string.Join(", ", commits)}";
        string id = $"{place.Slot}-{request.Epoch}-{ScriptedGitBackend.Digest(content)[..8]}";
        if (_kept.TryGetValue(id, out (Rescue Rescue, string Content) before))
        {
            return before.Rescue;
        }

        var rescue = new Rescue
        {
            Id = id,
            Ref = "refs/worktree-pool/rescue/" + id,
            Commit = git.NewCommit(head ?? request.Base),
            Key = request.Key,
            Slot = place.Slot,
            At = request.At,
            Files = files.Count,
            Commits = commits.Count,
            Reason = request.Reason,
        };
        _kept.Add(id, (rescue, content));
        git.SetRef(rescue.Ref, rescue.Commit);
        return rescue;
    }

    internal bool Holds(string slot, IReadOnlyCollection<string> files) =>
        _kept.Values.Any(kept => kept.Rescue.Slot == slot && kept.Content.StartsWith($"files: {string.Join(", ", files)}\n", StringComparison.Ordinal));

    private (Rescue Rescue, string Content) Get(string id) => _kept.TryGetValue(id, out (Rescue Rescue, string Content) kept)
        ? kept
        : throw new RescueNotFoundException($"There is no rescue {id}. List the rescues to see which there are.");
}
