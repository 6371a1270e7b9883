using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>What live leases may need of the refs, as seen at one sweep.</summary>
internal sealed class LiveClaims
{
    private readonly RepositoryLayout _repository;
    private readonly RefOwners _owners;
    private readonly string? _own;
    private readonly HashSet<string> _ownTouched;
    private readonly HashSet<string> _branches;
    private readonly HashSet<string> _live = [];
    private readonly HashSet<string> _ended = [];
    private readonly HashSet<string> _logged = [];
    private readonly HashSet<string> _endedAdmins = [];
    private readonly HashSet<string> _shadows;

    public LiveClaims(RepositoryLayout repository, RefOwners owners, RefSweep sweep, RepositoryUse use, IEnumerable<string> wanted)
    {
        (_repository, _owners, _own) = (repository, owners, sweep.Place?.Admin);
        _branches = [.. use.Slots.SelectMany(slot => slot.Branches).Select(branch => $"refs/heads/{branch}")];
        _ownTouched = _own is null ? [] : owners.TouchedBy(_own);
        foreach (string admin in owners.Admins().Concat(use.Slots.Select(slot => slot.Place.Admin ?? slot.Place.Slot)).Distinct())
        {
            bool isHeld = admin != _own && use.Slots.Any(slot => slot.IsHeld && (slot.Place.Admin ?? slot.Place.Slot) == admin);
            if (isHeld)
            {
                _live.UnionWith(owners.TouchedBy(admin));
                ReadHead(Path.Combine(repository.Worktrees, admin));
            }
            else
            {
                _ended.UnionWith(owners.TouchedBy(admin));
                if (use.Slots.All(slot => (slot.Place.Admin ?? slot.Place.Slot) != admin || slot.Place.Slot == sweep.Place?.Slot))
                {
                    _endedAdmins.Add(admin);
                }
            }
        }

        // Shadows what everybody calls origin/main.
        _shadows = [.. wanted.Where(name => name.StartsWith("refs/remotes/", StringComparison.Ordinal)).Select(name => name["refs/remotes/".Length..]).SelectMany(name => new[] { $"refs/heads/{name}", $"refs/tags/{name}" }), "refs/heads/HEAD"];
    }

    /// <summary>Whether a ref that differs from what is known may be needed by a live lease.</summary>
    public bool Needs(string name, string value) =>
        _branches.Contains(name) || (!IsDangerous(name) && (_live.Contains(name) || (!_ended.Contains(name) && _logged.Contains(value))));

    /// <summary>Whether the slot that is swept for, and no live lease, has made a ref.</summary>
    public bool IsOwn(string name) => _ownTouched.Contains(name);

    /// <summary>Forgets what slots have touched whose refs are put right.</summary>
    public void Forget()
    {
        foreach (string admin in _endedAdmins)
        {
            _owners.Forget(admin);
        }
    }

    /// <summary>Changes what others see under names and ids that they did not change: nobody may need that.</summary>
    private bool IsDangerous(string name) => name.StartsWith("refs/replace/", StringComparison.Ordinal) || _shadows.Contains(name);

    private void ReadHead(string admin)
    {
        _logged.UnionWith(HeadLog.Read(Path.Combine(admin, "logs", "HEAD")));
        if (SafeFile.TryRead(Path.Combine(admin, "HEAD"))?.Trim() is { } head && head.StartsWith("ref: ", StringComparison.Ordinal))
        {
            _live.Add(head["ref: ".Length..]);
        }
    }
}
