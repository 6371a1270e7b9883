namespace WorktreePool.Testing;

/// <summary>One slot as a <see cref="ScriptedGitBackend"/> keeps it. A test changes it as a job, a crash or a person would.</summary>
public sealed class ScriptedSlot
{
    private readonly ScriptedGitBackend _git;
    private readonly List<ScriptedDamage> _damage = [];
    private string? _detached;

    internal ScriptedSlot(ScriptedGitBackend git, string name) => (_git, Name) = (git, name);

    /// <summary>The slot's name.</summary>
    public string Name { get; }

    /// <summary>Whether the slot was made.</summary>
    public bool Exists { get; private set; }

    /// <summary>Whether its links are damaged: a reset cannot work on it, a rebuild can.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The branch HEAD is on, as a short name; null when detached.</summary>
    public string? Branch { get; private set; }

    /// <summary>The commit HEAD resolves to; null when it does not.</summary>
    public string? Head => !Exists || IsBroken ? null : Branch is null ? _detached : _git.Find("refs/heads/" + Branch);

    /// <summary>The names of uncommitted files.</summary>
    public IReadOnlyCollection<string> Files => _files;

    private readonly SortedSet<string> _files = new(StringComparer.Ordinal);

    /// <summary>Writes uncommitted files.</summary>
    /// <param name="names">Their names.</param>
    public void Write(params IEnumerable<string> names) => _git.Locked(() => _files.UnionWith(names));

    /// <summary>Commits what was written, on the branch HEAD is on or on the detached HEAD.</summary>
    /// <returns>The new commit.</returns>
    public string Commit() => _git.Locked(() =>
    {
        string commit = _git.NewCommit(Head);
        _files.Clear();
        if (Branch is null)
        {
            _detached = commit;
        }
        else
        {
            _git.SetRef("refs/heads/" + Branch, commit);
        }

        return commit;
    });

    /// <summary>Checks out a branch, and makes it here if it does not exist.</summary>
    /// <param name="branch">Its short name.</param>
    public void Checkout(string branch) => _git.Locked(() =>
    {
        if (_git.Find("refs/heads/" + branch) is null && Head is { } head)
        {
            _git.SetRef("refs/heads/" + branch, head);
        }

        Branch = branch;
    });

    /// <summary>Checks out a commit, detached.</summary>
    /// <param name="commit">The commit.</param>
    public void Detach(string commit) => _git.Locked(() => (Branch, _detached) = (null, commit));

    /// <summary>Leaves something wrong in the slot.</summary>
    /// <param name="finding">What a probe finds; see <see cref="FindingIds"/>.</param>
    /// <param name="healedBy">The weakest repair that removes it. A weaker one succeeds and leaves it.</param>
    public void Damage(string finding, RepairLevel healedBy = RepairLevel.Reset) =>
        _git.Locked(() => _damage.Add(new ScriptedDamage(new Finding(finding, "scripted"), healedBy)));

    /// <summary>Damages the slot's links.</summary>
    public void Break() => _git.Locked(() => IsBroken = true);

    /// <summary>Removes the slot behind the pool's back, work and all.</summary>
    public void Vanish() => _git.Locked(Clear);

    /// <summary>The set-up steps whose results are in the slot.</summary>
    public IReadOnlyCollection<string> Made => _made.Keys;

    private readonly SortedDictionary<string, int> _made = new(StringComparer.Ordinal);

    /// <summary>Changes what a set-up step made, as a holder does who installs something else.</summary>
    /// <param name="step">The step's name.</param>
    public void Change(string step) => _git.Locked(() => _made[step] = _made.GetValueOrDefault(step) + 1);

    internal string MadeBy(string step) => _made.TryGetValue(step, out int changes) ? $"{step} {changes}" : "";

    internal void Make(string step) => _made[step] = 0;

    internal void Unmake(string step) => _made.Remove(step);

    internal void TakeOut(IEnumerable<string> files) => _files.ExceptWith(files);

    internal IReadOnlyList<Finding> FindingsAgainst(SlotTarget target)
    {
        if (!Exists)
        {
            return [new Finding(FindingIds.SlotMissing, "the slot was never made, or vanished")];
        }

        if (IsBroken)
        {
            return [new Finding(FindingIds.GitLinkBroken, "scripted")];
        }

        List<Finding> findings = [.. _damage.Select(damage => damage.Finding)];
        if (Head is null)
        {
            findings.Add(new Finding(FindingIds.HeadBroken, "HEAD resolves to nothing"));
        }
        else if (Head != target.Commit)
        {
            findings.Add(new Finding(FindingIds.WrongCommit, $"HEAD is {Head}, not {target.Commit}"));
        }

        if (Branch != target.Branch)
        {
            findings.Add(new Finding(FindingIds.OnBranch, $"HEAD is {(Branch is null ? "detached" : "on " + Branch)}, not {(target.Branch is null ? "detached" : "on " + target.Branch)}"));
        }

        if (_files.Count > 0)
        {
            findings.Add(new Finding(FindingIds.Untracked, string.Join(", ", _files)));
        }

        return findings;
    }

    /// <summary>The slot as a killed repair leaves it: not ready, and repairable.</summary>
    internal void Interrupt()
    {
        if (Exists && !_damage.Exists(damage => damage.Finding.Id == FindingIds.IndexDiffers))
        {
            _damage.Add(new ScriptedDamage(new Finding(FindingIds.IndexDiffers, "a repair was begun and not finished"), RepairLevel.Reset));
        }
    }

    internal void Repair(string commit, RepairLevel level)
    {
        Exists = true;
        IsBroken = false;
        (Branch, _detached) = (null, commit);
        _files.Clear();
        _damage.RemoveAll(damage => damage.HealedBy <= level);
    }

    internal void Attach(string branch) => Branch = branch;

    internal void Clear()
    {
        (Exists, IsBroken, Branch, _detached) = (false, false, null, null);
        _made.Clear();
        _files.Clear();
        _damage.Clear();
    }

    private sealed record ScriptedDamage(Finding Finding, RepairLevel HealedBy);
}
