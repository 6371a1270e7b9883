using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// Puts the refs of an isolated repository back to what the remote gave. A ref that differs stays only as long as a live lease may need it: its own
/// branch, the one its HEAD is on, and what its slot's git has changed (<see cref="RefOwners"/>) or, of tools that run no hook, what its HEAD was at.
/// </summary>
internal sealed class RefRestorer(RepositoryLayout repository, Baseline baseline, KnownRefs known, RefOwners owners, StrayRescuer rescuer, RemoteRefs remote, RepositoryRefs refs)
{
    private const string Tracking = $"refs/remotes/{IsolatedOrigin.RemoteName}/";

    private readonly RefStore _store = new(repository);

    /// <summary>Puts back refs that are damaged or gone, so that git finds what is known before anybody asks what nobody keeps.</summary>
    public async ValueTask<List<Finding>> MendAsync(CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        if (_store.Packed.TryMend())
        {
            findings.Add(new Finding(FindingIds.RefsDrift, "packed-refs was damaged; its whole lines are put back"));
        }

        foreach (string broken in _store.FindBroken())
        {
            findings.Add(new Finding(FindingIds.RefsDrift, $"{Path.GetRelativePath(repository.CommonDirectory, broken)} is no ref; it is removed"));
            TreeRemoval.Remove(broken);
        }

        SortedDictionary<string, string> present = _store.Read();
        List<KeyValuePair<string, string>> gone = [.. known.Fetched.Where(fetched => !present.ContainsKey(fetched.Key))];
        foreach (KeyValuePair<string, string> own in known.Own().Where(own => IsRescue(own.Key) && !present.ContainsKey(own.Key)))
        {
            // One whose objects are gone as well would only make git complain.
            if (await refs.ResolveAsync(own.Value, cancellationToken).ConfigureAwait(false) is not null)
            {
                gone.Add(own);
            }
        }

        if (gone.Count > 0)
        {
            PutBack(gone, present);
            findings.Add(new Finding(FindingIds.RefsDrift, $"{string.Join(", ", gone.Take(5).Select(ref_ => ref_.Key))}{(gone.Count > 5 ? $" and {gone.Count - 5} more" : "")} had gone; put back"));
        }

        return findings;
    }

    /// <summary>Removes strays and moves back what was moved; see <see cref="IIsolatedRepository.SweepAsync"/>.</summary>
    public async ValueTask<IReadOnlyList<Rescue>> SweepAsync(RefSweep sweep, CancellationToken cancellationToken)
    {
        // A live lease may be on a branch of any name. Until none is left such refs stay, and keep what they keep.
        if (_store.HasMisnamed && !(await sweep.ReadUse(cancellationToken).ConfigureAwait(false)).Slots.Any(slot => slot.IsHeld && slot.Place.Slot != sweep.Place?.Slot))
        {
            _store.MakeNamesPlain();
        }

        // Refs first, then who uses them: a lease is recorded before its branch is made.
        SortedDictionary<string, string> present = _store.Read();
        RepositoryUse use = await sweep.ReadUse(cancellationToken).ConfigureAwait(false);
        Dictionary<string, string> wanted = Wanted(use);
        var claims = new LiveClaims(repository, owners, sweep, use, wanted.Keys);
        List<KeyValuePair<string, string>> astray = Astray(present, wanted, claims);
        HashSet<string> pruned = [];
        if (astray.Count > 0 && present.Any(found => IsOfRemote(found.Key) && IsDifferent(found, wanted)))
        {
            if (await remote.TryListAsync(baseline.Current, cancellationToken).ConfigureAwait(false) is { } truth)
            {
                // What a holder has fetched is as good as what the pool would fetch.
                pruned = Learn(present, truth);
                wanted = Wanted(use);
                astray = Astray(present, wanted, claims);
            }
            else if (known.IsLost)
            {
                // Nobody can say what the remote had given: its refs stay until it answers.
                astray.RemoveAll(stray => IsOfRemote(stray.Key));
            }
        }

        List<Rescue> rescues = [];

        // What a live lease needs as well stays; but its holder may discard it, and what was made in the slot swept for is not that holder's alone.
        foreach ((string name, string value) in astray.Concat(present.Where(found => claims.IsOwn(found.Key) && IsDifferent(found, wanted) && claims.Needs(found.Key, found.Value))))
        {
            bool isOwn = claims.IsOwn(name);
            foreach (string tip in pruned.Contains(name) || (sweep.MayDiscard && isOwn) ? [] : TipsOf(name, value))
            {
                if (await rescuer.KeepAsync(name, tip, use.Base?.Commit, sweep, isOwn, cancellationToken).ConfigureAwait(false) is { } rescue)
                {
                    rescues.Add(rescue);
                }
            }
        }

        List<KeyValuePair<string, string>> removed = await RemoveAsync(astray, wanted, cancellationToken).ConfigureAwait(false);
        await GiveBackAsync(removed, sweep, cancellationToken).ConfigureAwait(false);
        claims.Forget();
        return rescues;
    }

    /// <summary>What refs shall be: the remote's as known, the base as the pool itself saw it last, and the rescues.</summary>
    private Dictionary<string, string> Wanted(RepositoryUse use)
    {
        Dictionary<string, string> wanted = new(known.Fetched, StringComparer.Ordinal);
        if (use.Base is { } seen && seen.Ref.StartsWith(Tracking, StringComparison.Ordinal))
        {
            wanted[seen.Ref] = seen.Commit;
        }

        foreach ((string name, string commit) in known.Own().Where(own => IsRescue(own.Key)))
        {
            wanted[name] = commit;
        }

        return wanted;
    }

    private List<KeyValuePair<string, string>> Astray(SortedDictionary<string, string> present, Dictionary<string, string> wanted, LiveClaims claims)
    {
        IReadOnlyDictionary<string, string> own = known.Own();
        return [.. present.Where(found => IsRescue(found.Key)
            ? wanted.TryGetValue(found.Key, out string? commit) && commit != found.Value
            : IsDifferent(found, wanted) && !own.ContainsKey(found.Key) && !claims.Needs(found.Key, found.Value))];
    }

    private static bool IsDifferent(KeyValuePair<string, string> found, Dictionary<string, string> wanted) => wanted.GetValueOrDefault(found.Key) != found.Value;

    /// <summary>One that is not the pool's own is just being made: it is a ref first, and known then. Nobody moves one.</summary>
    private static bool IsRescue(string name) => name.StartsWith(RepositoryRefs.RescuePrefix, StringComparison.Ordinal);

    /// <summary>Whether the remote may have given a ref of this name.</summary>
    public static bool IsOfRemote(string name) => name.StartsWith(Tracking, StringComparison.Ordinal) || name.StartsWith("refs/tags/", StringComparison.Ordinal);

    /// <summary>Takes over what the remote has.</summary>
    /// <returns>Refs as the remote gave them once, which it has no more: nobody's work here.</returns>
    private HashSet<string> Learn(SortedDictionary<string, string> present, IReadOnlyDictionary<string, string> truth)
    {
        Dictionary<string, string> learned = new(known.Fetched, StringComparer.Ordinal);
        foreach ((string name, string value) in present.Where(found => truth.GetValueOrDefault(found.Key) == found.Value))
        {
            learned[name] = value;
        }

        List<string> gone = [.. learned.Keys.Where(name => IsOfRemote(name) && name != Tracking + "HEAD" && !truth.ContainsKey(name))];
        HashSet<string> pruned = [.. gone.Where(name => present.GetValueOrDefault(name) == learned[name])];
        gone.ForEach(name => learned.Remove(name));
        known.Keep(learned);
        return pruned;
    }

    /// <summary>Of a stash, all that were put on top of each other: only the reflog has the others.</summary>
    private IEnumerable<string> TipsOf(string name, string value) => name == "refs/stash"
        ? HeadLog.Read(Path.Combine(repository.CommonDirectory, "logs", "refs", "stash")).Append(value).Reverse().Distinct()
        : IsSymbolic(value) ? [] : [value];

    private static bool IsSymbolic(string value) => value.StartsWith("ref: ", StringComparison.Ordinal);

    private async ValueTask<List<KeyValuePair<string, string>>> RemoveAsync(List<KeyValuePair<string, string>> astray, Dictionary<string, string> wanted, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> removed = [.. astray.Where(stray => !wanted.ContainsKey(stray.Key))];
        foreach ((string name, string value) in removed)
        {
            // Only as it was seen: whoever has moved it since still needs it.
            string[] expected = IsSymbolic(value) ? [] : [value];
            await refs.TryRunAsync(cancellationToken, ["update-ref", "--no-deref", "-d", name, .. expected]).ConfigureAwait(false);
        }

        foreach ((string name, _) in astray.Where(stray => wanted.ContainsKey(stray.Key)))
        {
            if (IsRescue(name) && await refs.ResolveAsync(wanted[name], cancellationToken).ConfigureAwait(false) is null)
            {
                // What it kept is gone, too; a ref to nothing would only make git complain.
                known.Remove(name);
            }
            else
            {
                _store.TrySet(name, wanted[name]);
            }
        }

        return removed;
    }

    /// <summary>A lease that began while refs were removed may have made one of the same name: it was recorded before.</summary>
    private async ValueTask GiveBackAsync(List<KeyValuePair<string, string>> removed, RefSweep sweep, CancellationToken cancellationToken)
    {
        if (removed.Count == 0)
        {
            return;
        }

        HashSet<string> branches = [.. (await sweep.ReadUse(cancellationToken).ConfigureAwait(false)).Slots.SelectMany(slot => slot.Branches).Select(branch => $"refs/heads/{branch}")];
        foreach ((string name, string value) in removed.Where(gone => branches.Contains(gone.Key) && !IsSymbolic(gone.Value)))
        {
            await refs.TryCreateAsync(name, value, cancellationToken).ConfigureAwait(false);
        }
    }

    private void PutBack(List<KeyValuePair<string, string>> gone, SortedDictionary<string, string> present)
    {
        const int Few = 16;
        List<KeyValuePair<string, string>> free = [.. gone.Where(missing => !present.Keys.Any(name => name.StartsWith(missing.Key + "/", StringComparison.Ordinal)))];
        if (free.Count > Few && _store.Packed.TryAdd(free.Where(packed => !IsSymbolic(packed.Value))))
        {
            free.RemoveAll(packed => !IsSymbolic(packed.Value));
        }

        foreach ((string name, string value) in free)
        {
            _store.TrySet(name, value);
        }
    }
}
