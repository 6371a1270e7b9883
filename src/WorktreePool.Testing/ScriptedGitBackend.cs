using System.Security.Cryptography;
using System.Text;

namespace WorktreePool.Testing;

/// <summary>
/// A git in memory, for tests of what uses a pool. It keeps refs, commits and slots, answers as a real backend would, records every
/// call, and fails, waits or hangs where a script says so. Several pools may share one, as several processes share a repository.
/// </summary>
public sealed partial class ScriptedGitBackend : IGitBackend
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Dictionary<string, string> _refs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _remote = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _parents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ScriptedSlot> _slots = new(StringComparer.Ordinal);
    private readonly List<GitScript> _scripts = [];
    private readonly List<GitCall> _calls = [];
    private readonly List<string> _violations = [];
    private readonly Dictionary<string, GitVerb> _working = new(StringComparer.Ordinal);
    private readonly ScriptedRescues _rescues;

    /// <summary>A repository with one commit, at <c>refs/heads/main</c> and <c>refs/remotes/origin/main</c>.</summary>
    /// <param name="time">The clock of scripted delays; null: the system's.</param>
    public ScriptedGitBackend(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _rescues = new ScriptedRescues(this);
        string first = NewCommit(null);
        SetRef("refs/heads/main", first);
        SetRef(DefaultBase, first);
        _remote[DefaultBase] = first;
    }

    /// <summary>The ref that <see cref="InspectAsync"/> gives as the default base.</summary>
    public string DefaultBase { get; set; } = "refs/remotes/origin/main";

    /// <summary>What <see cref="InspectAsync"/> and <see cref="FindDriftAsync"/> find in the repository.</summary>
    public IList<Finding> RepositoryFindings { get; } = [];

    /// <inheritdoc/>
    public IRescueArchive Rescues => _rescues;

    /// <summary>The repository as one of the pool's own; null, the default: a user's.</summary>
    public IIsolatedRepository? Isolated { get; set; }

    /// <summary>Every call so far, in the order of arrival.</summary>
    public IReadOnlyList<GitCall> Calls => Locked<IReadOnlyList<GitCall>>(() => [.. _calls]);

    /// <summary>
    /// What no pool may ever do and this one did: two verbs at once that change the same slot, or work destroyed that was neither
    /// rescued nor said to be discarded through <see cref="ExpectDiscard"/>.
    /// </summary>
    public IReadOnlyList<string> Violations => Locked<IReadOnlyList<string>>(() => [.. _violations]);

    /// <summary>Slots whose work may be destroyed unrescued, because the test releases them with discard.</summary>
    public ISet<string> ExpectDiscard { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>A slot, made on first use; it does not exist in git until it is repaired.</summary>
    /// <param name="name">The slot's name.</param>
    public ScriptedSlot Slot(string name) => Locked(() =>
    {
        if (!_slots.TryGetValue(name, out ScriptedSlot? slot))
        {
            _slots.Add(name, slot = new ScriptedSlot(this, name));
        }

        return slot;
    });

    /// <summary>Scripts what happens at a call of a verb. Scripts added earlier run first.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="call">At which call, counted from this moment and from 1; 0: at every one.</param>
    /// <param name="slot">Only calls on this slot; null: all.</param>
    public GitScript At(GitVerb verb, int call = 0, string? slot = null) => Locked(() =>
    {
        var script = new GitScript(verb, call, slot);
        _scripts.Add(script);
        return script;
    });

    /// <summary>Forgets every script.</summary>
    public void ClearScripts() => Locked(_scripts.Clear);

    /// <summary>Makes a commit.</summary>
    /// <param name="parent">Its parent; null for none.</param>
    public string NewCommit(string? parent) => Locked(() =>
    {
        string commit = Digest($"commit {_parents.Count}");
        _parents.Add(commit, parent);
        return commit;
    });

    /// <summary>Sets a ref.</summary>
    /// <param name="name">The full refname.</param>
    /// <param name="commit">A commit from <see cref="NewCommit"/>.</param>
    public void SetRef(string name, string commit) => Locked(() => _refs[name] = commit);

    /// <summary>Removes a ref.</summary>
    /// <param name="name">The full refname.</param>
    public void RemoveRef(string name) => Locked(() => _refs.Remove(name));

    /// <summary>Moves a branch at the remote: the next <see cref="FetchAsync"/> brings it.</summary>
    /// <param name="name">The full name of the tracking ref.</param>
    /// <param name="commit">A commit from <see cref="NewCommit"/>.</param>
    public void SetRemote(string name, string commit) => Locked(() => _remote[name] = commit);

    /// <summary>The commit of a ref, or null.</summary>
    /// <param name="name">The full refname.</param>
    public string? Find(string name) => Locked(() => _refs.GetValueOrDefault(name));

    /// <inheritdoc/>
    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Inspect, null, null), () => new RepositoryFacts("/scripted/.git", DefaultBase, [.. RepositoryFindings]), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<Finding>>(new GitCall(GitVerb.Trust, null, null), () =>
        {
            Finding[] changed = [.. RepositoryFindings];
            RepositoryFindings.Clear();
            return changed;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<Finding>>(new GitCall(GitVerb.FindDrift, null, null), () => [.. RepositoryFindings], cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Expand, null, name), () =>
            _parents.ContainsKey(name) ? name
            : Array.Find([name, "refs/" + name, "refs/tags/" + name, "refs/heads/" + name, "refs/remotes/" + name], _refs.ContainsKey)
            ?? throw new BaseNotFoundException($"Nothing is named {name}. Name a branch, a tag, a tracking ref or a commit."), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Resolve, null, reference), () => _parents.ContainsKey(reference) ? reference : _refs.GetValueOrDefault(reference), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null) =>
        RunAsync(new GitCall(GitVerb.Fetch, null, reference), () =>
        {
            if (!reference.StartsWith("refs/remotes/origin/", StringComparison.Ordinal))
            {
                return null;
            }

            string commit = _remote.GetValueOrDefault(reference) ?? throw new GitBackendException($"The remote origin has no branch for {reference}.");
            _refs[reference] = commit;
            return commit;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<Finding>>(
            new GitCall(GitVerb.ExamineRemotes, null, reference),
            () => reference.StartsWith("refs/remotes/origin/", StringComparison.Ordinal) && !_remote.ContainsKey(reference) ? [new Finding(FindingIds.RefsDrift, $"origin has no {reference} any more")] : [],
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Probe, place.Slot, target.Commit), () =>
        {
            ScriptedSlot slot = Slot(place.Slot);
            return new SlotProbe(slot.FindingsAgainst(target), slot.Head, slot.Exists ? place.Slot : null);
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Repair, place.Slot, $"{level} {commit}"), () =>
        {
            ScriptedSlot slot = Slot(place.Slot);
            if (level == RepairLevel.Reset && (!slot.Exists || slot.IsBroken))
            {
                throw new GitBackendException($"{place.Slot} cannot be reset: {(slot.Exists ? "its links are broken" : "it does not exist")}. Nothing was changed; rebuild it.");
            }

            if (!_parents.ContainsKey(commit))
            {
                throw new GitBackendException($"{place.Slot} cannot be moved to {commit}: there is no such commit.");
            }

            NoteDestroyed(slot);
            slot.Repair(commit, level);
            return place.Slot;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.StartBranch, place.Slot, branch), () =>
        {
            ScriptedSlot slot = Slot(place.Slot);
            if (slot.FindingsAgainst(new SlotTarget(commit, branch)).Count == 0)
            {
                return;
            }

            if (slot.FindingsAgainst(new SlotTarget(commit)) is { Count: > 0 } findings)
            {
                throw new GitBackendException($"{place.Slot} is not ready for the branch {branch}: {string.Join("; ", findings)}. Nothing was changed.");
            }

            if (!_refs.TryAdd("refs/heads/" + branch, commit) && _refs["refs/heads/" + branch] is { } elsewhere && elsewhere != commit)
            {
                throw new BranchExistsException($"The branch {branch} exists already, at {elsewhere}. Nothing was changed; claim with another name, or delete it.");
            }

            slot.Attach(branch);
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.DeleteBranch, null, branch), () => { _refs.Remove("refs/heads/" + branch); }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Evict, place.Slot, null), () => { }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Rescue, place.Slot, request.Branch), () =>
        {
            ScriptedSlot slot = Slot(place.Slot);
            string? tip = slot.Head ?? (request.Branch is null ? null : Find("refs/heads/" + request.Branch));
            List<string> commits = Unreachable(tip, request.Branch);
            return slot.Files.Count == 0 && commits.Count == 0 ? null : _rescues.Keep(place, request, tip, slot.Files, commits);
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken) =>
        RunAsync(new GitCall(GitVerb.Remove, place.Slot, null), () =>
        {
            NoteDestroyed(Slot(place.Slot));
            Slot(place.Slot).Clear();
        }, cancellationToken);

    internal static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..40];

    internal T Locked<T>(Func<T> body)
    {
        lock (_gate)
        {
            return body();
        }
    }

    internal void Locked(Action body)
    {
        lock (_gate)
        {
            body();
        }
    }

    /// <summary>Commits from a tip on that no ref keeps, apart from the branch that is about to be deleted and from rescues.</summary>
    private List<string> Unreachable(string? tip, string? except)
    {
        HashSet<string> kept = [];
        foreach ((string name, string target) in _refs)
        {
            if (name != "refs/heads/" + except && !name.StartsWith("refs/worktree-pool/", StringComparison.Ordinal))
            {
                for (string? commit = target; commit is not null && kept.Add(commit); commit = _parents.GetValueOrDefault(commit))
                {
                }
            }
        }

        List<string> unreachable = [];
        for (string? commit = tip; commit is not null && !kept.Contains(commit); commit = _parents.GetValueOrDefault(commit))
        {
            unreachable.Add(commit);
        }

        return unreachable;
    }

    private void NoteDestroyed(ScriptedSlot slot)
    {
        if (slot.Files.Count > 0 && !ExpectDiscard.Contains(slot.Name) && !_rescues.Holds(slot.Name, slot.Files))
        {
            _violations.Add($"{slot.Name}: unrescued work was destroyed: {string.Join(", ", slot.Files)}");
        }
    }

    private async ValueTask RunAsync(GitCall call, Action body, CancellationToken cancellationToken) =>
        await RunAsync(call, () =>
        {
            body();
            return true;
        }, cancellationToken).ConfigureAwait(false);

    private async ValueTask<T> RunAsync<T>(GitCall call, Func<T> body, CancellationToken cancellationToken)
    {
        bool changes = call.Slot is not null && call.Verb is GitVerb.Repair or GitVerb.StartBranch or GitVerb.Rescue or GitVerb.Remove;
        GitScript[] scripts = Locked(() => Begin(call, changes));
        bool done = false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (GitScript script in scripts)
            {
                await script.RunAsync(_time, cancellationToken).ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            T result = Locked(body);
            done = true;
            return result;
        }
        finally
        {
            Locked(() => End(call, changes, done));
        }
    }

    private GitScript[] Begin(GitCall call, bool changes)
    {
        _calls.Add(call);
        if (changes && !_working.TryAdd(call.Slot!, call.Verb))
        {
            _violations.Add($"{call.Slot}: {call.Verb} began while {_working[call.Slot!]} was at work");
        }

        return [.. _scripts.Where(script => script.Matches(call))];
    }

    private void End(GitCall call, bool changes, bool done)
    {
        if (changes)
        {
            _working.Remove(call.Slot!);
        }

        if (!done && call.Verb == GitVerb.Repair)
        {
            Slot(call.Slot!).Interrupt();
        }
    }
}
