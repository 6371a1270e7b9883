using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>Reads what there is to know about the repository under a pool.</summary>
internal sealed class RepositoryInspector(RepositoryLayout repository, string slotsDirectory, Baseline baseline, RepositoryRefs refs, Shortcuts shortcuts, SparseCone sparse, KnownRefs? known)
{
    private static readonly string[] PlacesOfLocks = ["refs", "objects"];

    public async ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken)
    {
        GitResult format = await refs.TryRunAsync(cancellationToken, "config", "--get", "extensions.refstorage").ConfigureAwait(false);
        if (format.Succeeded && format.Line is not ("" or "files"))
        {
            throw new GitBackendException($"{repository.CommonDirectory} keeps its refs as \"{format.Line}\"; pools need the files format. Nothing was changed.");
        }

        string defaultBase = await FindDefaultBaseAsync(cancellationToken).ConfigureAwait(false) ?? throw await WhyNoBaseAsync(cancellationToken).ConfigureAwait(false);
        List<Finding> findings = [.. baseline.Compare()];
        AddResidue(findings);
        AddSetAside(findings);
        AddTrash(findings);
        AddHalfMadeWorktrees(findings);
        AddOwner(findings);
        AddBorrowed(findings);
        AddMissingFilter(findings);
        AddRefusedFilters(findings);
        findings.AddRange(await shortcuts.FindWrongAsync(cancellationToken).ConfigureAwait(false));
        if (sparse.IsSparse && !Baseline.AllowsSparse((await refs.TryRunAsync(cancellationToken, "config", "--get", "extensions.worktreeconfig").ConfigureAwait(false)).Line))
        {
            findings.Add(new Finding(FindingIds.ConfigDrift, "extensions.worktreeConfig is not set, so that git in a slot does not know that the slot is sparse, and fills it when it checks something out. Set it to true, or take Sparse away"));
        }

        await AddRefDriftAsync(findings, defaultBase, cancellationToken).ConfigureAwait(false);
        return new RepositoryFacts(repository.CommonDirectory, defaultBase, findings);
    }

    /// <summary>Why there is no base: nothing was ever committed, or git cannot read the repository, mostly because a newer one has made it (extensions.relativeWorktrees).</summary>
    private async ValueTask<GitBackendException> WhyNoBaseAsync(CancellationToken cancellationToken)
    {
        GitResult read = await refs.TryRunAsync(cancellationToken, "rev-parse", "--git-dir").ConfigureAwait(false);
        if (read.Succeeded && baseline.Current.Isolation is { Borrowed: { } borrowed, Remote: var remote } && !Directory.Exists(borrowed))
        {
            return new GitBackendException($"{borrowed}, whose objects {repository.CommonDirectory} borrows, is gone, and with it what slots stand at. Nothing was changed. Put it back; or see to it that {remote} can be fetched, and claim: that fetches what is missing.");
        }

        if (read.Succeeded)
        {
            return new GitBackendException($"{repository.CommonDirectory} has no commit that a slot could stand at. Nothing was changed. Commit or fetch something first.");
        }

        string error = read.Error;
        string version = (await refs.TryRunAsync(cancellationToken, "version").ConfigureAwait(false)).Line;
        string advice = error.Contains("extension", StringComparison.Ordinal) || error.Contains("Expected git repo version", StringComparison.Ordinal)
            ? "A newer git has set what this one does not know: put a newer git on PATH, or take the extension back with the git that set it"
            : "Repair it until git status works there";
        return new GitBackendException($"{version} cannot read {repository.CommonDirectory}: {error.Trim().ReplaceLineEndings(" ")}. Nothing was changed. {advice}.");
    }

    /// <summary>Slots are made without a filter that is not there: then they hold what git-lfs stores in git, small files that point to the large ones.</summary>
    private void AddMissingFilter(List<Finding> findings)
    {
        if (baseline.Current.Checkout.Exists(setting => setting.Key.StartsWith("filter.lfs.", StringComparison.Ordinal)) && !GitExecutable.IsOnPath(NeutralDirectory.Lfs))
        {
            findings.Add(new Finding(FindingIds.FilterMissing, $"the config names {NeutralDirectory.Lfs}, which is not on PATH: slots hold its pointers in place of large files. Install it; slots are made anew with it"));
        }
    }

    /// <summary>Filters of the user's that the pool does not run, because git would run them in a slot and find there what they are made of.</summary>
    private void AddRefusedFilters(List<Finding> findings)
    {
        foreach ((string name, string command) in baseline.Current.RefusedFilters)
        {
            findings.Add(new Finding(FindingIds.FilterMissing,
                $"filter.{name} runs \"{command}\", which leads into the repository or a slot, where it would run what a holder left. The pool does not run it: slots hold what is stored in git. Install its program elsewhere, name it by its absolute path, and run worktree-pool trust"));
        }
    }

    /// <summary>The full name a configured base means; null when nothing has it.</summary>
    public async ValueTask<string?> ExpandAsync(string name, CancellationToken cancellationToken)
    {
        if (name.Length is 40 or 64 && name.All(char.IsAsciiHexDigit))
        {
            return await refs.ResolveAsync(name, cancellationToken).ConfigureAwait(false);
        }

        foreach (string candidate in repository.NamesOf(name))
        {
            if (await refs.ResolveAsync(candidate, cancellationToken).ConfigureAwait(false) is not null)
            {
                return candidate;
            }
        }

        return null;
    }

    private async ValueTask<string?> FindDefaultBaseAsync(CancellationToken cancellationToken)
    {
        List<string?> candidates = [await refs.ReadSymbolicAsync("refs/remotes/origin/HEAD", cancellationToken).ConfigureAwait(false), "refs/remotes/origin/main", "refs/remotes/origin/master"];
        foreach (string remote in baseline.Current.Remotes.Keys.Where(name => name != "origin"))
        {
            candidates.Add(await refs.ReadSymbolicAsync($"refs/remotes/{remote}/HEAD", cancellationToken).ConfigureAwait(false));
        }

        candidates.Add(await refs.ReadSymbolicAsync("HEAD", cancellationToken).ConfigureAwait(false) ?? await refs.ResolveAsync("HEAD", cancellationToken).ConfigureAwait(false));
        foreach (string? candidate in candidates)
        {
            if (candidate is not null && await refs.ResolveAsync(candidate, cancellationToken).ConfigureAwait(false) is not null)
            {
                return candidate;
            }
        }

        return null;
    }

    /// <summary>What git leaves in the common directory when it is killed. Reported, not removed: it may be a person's git at work.</summary>
    private void AddResidue(List<Finding> findings)
    {
        string common = repository.CommonDirectory;
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        IEnumerable<string> files = Directory.EnumerateFiles(common)
            .Concat(PlacesOfLocks.Select(name => Path.Combine(common, name)).Where(Directory.Exists).SelectMany(directory => Directory.EnumerateFiles(directory, "*", options)));
        foreach (string file in files)
        {
            string name = Path.GetFileName(file);
            if (name.EndsWith(".lock", StringComparison.Ordinal) || name is "gc.pid" or "packed-refs.new" || name.StartsWith("tmp_", StringComparison.Ordinal))
            {
                findings.Add(new Finding(FindingIds.RepositoryResidue, $"{Path.GetRelativePath(common, file)} was left by a git that was killed, or one is at work; delete it when no git runs there"));
            }
            else if (name.StartsWith(RepositoryRefs.SavedConfig, StringComparison.Ordinal))
            {
                findings.Add(new Finding(FindingIds.ConfigDrift, $"git could not read the config; it was saved as {name} and the trusted one put back. Delete it when it is of no use any more"));
            }
            else if (name.StartsWith(PackedRefs.Saved, StringComparison.Ordinal))
            {
                findings.Add(new Finding(FindingIds.RefsDrift, $"git could not read packed-refs; it was saved as {name}, and its readable lines were put back. Look there for refs that are gone, and delete it"));
            }
        }
    }

    private void AddTrash(List<Finding> findings)
    {
        foreach (string trash in Directory.Exists(repository.Scratch) ? Directory.EnumerateDirectories(repository.Scratch, $"*.{AdminDirectory.Trash}-*") : [])
        {
            findings.Add(new Finding(FindingIds.RepositoryResidue, $"{trash} was the git directory of a slot and could not be removed: it holds something of another user, or immutable. Remove it by hand"));
        }

        if (Directory.Exists(slotsDirectory))
        {
            foreach (string trash in Directory.EnumerateDirectories(slotsDirectory, SlotRepairer.TrashName("*") + "*"))
            {
                findings.Add(new Finding(FindingIds.RepositoryResidue, $"{trash} was a slot and could not be removed: it holds something of another user, immutable, or mounted. Remove it by hand"));
            }

            foreach (string aside in Directory.EnumerateDirectories(slotsDirectory, SlotRepairer.MountedName("*") + "*"))
            {
                findings.Add(new Finding(FindingIds.RepositoryResidue, $"{aside} was a slot with something mounted in it, and is left as it was: nobody could look at what the mount covers. Unmount it, take out what is needed, and remove the rest by hand"));
            }
        }
    }

    /// <summary>The pool names the git directory it works with, and so gets past git's refusal; a holder's git does not.</summary>
    private void AddOwner(List<Finding> findings)
    {
        if (UnixFiles.OwnerOf(repository.CommonDirectory) is { } owner && owner != UnixFiles.CurrentUser)
        {
            findings.Add(new Finding(FindingIds.ForeignOwner, $"{repository.CommonDirectory} belongs to user {owner}, so git refuses to work in every slot. Give it back with chown, or let the pool run as that user"));
        }
    }

    /// <summary>An isolated repository goes on without the clone that it borrows from: what is missing then is fetched.</summary>
    private void AddBorrowed(List<Finding> findings)
    {
        if (baseline.Current.Isolation is { Borrowed: { } borrowed } isolation && !Directory.Exists(borrowed))
        {
            findings.Add(new Finding(FindingIds.BorrowedObjectsGone, $"{borrowed}, whose objects the pool's repository borrows, is gone; what slots need is fetched from {isolation.Remote}. Put the clone back, or set repositoryPath to where it is now and run worktree-pool trust"));
        }
    }

    /// <summary>A worktree whose admin directory lacks its parts makes every fetch and every listing of worktrees fail, for all.</summary>
    private void AddHalfMadeWorktrees(List<Finding> findings)
    {
        foreach (string admin in Directory.Exists(repository.Worktrees) ? Directory.EnumerateDirectories(repository.Worktrees) : [])
        {
            if (Parts.FirstOrDefault(part => string.IsNullOrWhiteSpace(SafeFile.TryRead(Path.Combine(admin, part)))) is { } missing)
            {
                findings.Add(new Finding(FindingIds.RepositoryResidue, $"{admin} has no {missing}: it is a worktree that was not made or not removed to the end, and git fetch fails in the repository. Delete it, or repair it with git worktree repair"));
            }
        }
    }

    private static readonly string[] Parts = ["commondir", "gitdir", "HEAD"];

    private void AddSetAside(List<Finding> findings)
    {
        if (!Directory.Exists(repository.Damaged))
        {
            return;
        }

        if (Directory.EnumerateFiles(repository.Damaged, "*.pack").ToList() is { Count: > 0 } packs)
        {
            findings.Add(new Finding(FindingIds.RepositoryResidue,
                $"{packs.Count} packs that git could not open were set aside in {repository.Damaged}, and what slots need was fetched anew. Commits that only these held are lost unless a backup has them: run git fsck, then delete the directory"));
        }

        if (Directory.EnumerateFiles(repository.Damaged).Count(file => RefStore.IsId(Path.GetFileName(file))) is > 0 and var objects)
        {
            findings.Add(new Finding(FindingIds.RepositoryResidue,
                $"{objects} objects that could not be read stood in the way of a rescue and were set aside in {repository.Damaged}; what the rescue needs was written anew. Run git fsck to see whether others are missed, then delete the directory"));
        }

        foreach (string pipe in Directory.EnumerateFiles(repository.Damaged, Pipes.SetAsidePrefix + "*"))
        {
            findings.Add(new Finding(FindingIds.RepositoryResidue, $"a pipe or a device stood where git opens a file, so that every git waited for ever; it was set aside as {pipe}. Put back what was there before, and delete it"));
        }
    }

    /// <summary>Branches somebody works on: a holder's own among them.</summary>
    private IEnumerable<string> CheckedOut() =>
        (Directory.Exists(repository.Worktrees) ? Directory.EnumerateDirectories(repository.Worktrees) : []).Append(repository.CommonDirectory)
            .Select(directory => SafeFile.TryRead(Path.Combine(directory, "HEAD"))?.Trim() is { } head && head.StartsWith("ref: ", StringComparison.Ordinal) ? head[5..] : "");

    private static void AddMany(List<Finding> findings, List<string> names, string what)
    {
        if (names.Count > 0)
        {
            string more = names.Count > 5 ? $" and {names.Count - 5} more" : "";
            findings.Add(new Finding(FindingIds.RefsDrift, $"{string.Join(", ", names.Order(StringComparer.Ordinal).Take(5))}{more} {what}"));
        }
    }

    /// <summary>Files of people's refs that git neither lists nor complains of: symbolic ones that lead back to themselves.</summary>
    private IEnumerable<string> Unlisted(GitResult all)
    {
        HashSet<string> listed = [.. all.Output.Split('\n')];
        string refsDirectory = Path.Combine(repository.CommonDirectory, "refs");
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        return Directory.EnumerateFiles(refsDirectory, "*", options).Select(file => Path.GetRelativePath(repository.CommonDirectory, file))
            .Where(name => Baseline.IsWatched(name) && !name.EndsWith(".lock", StringComparison.Ordinal) && !listed.Contains(name) && !all.Error.Contains(name, StringComparison.Ordinal));
    }

    private async ValueTask AddRefDriftAsync(List<Finding> findings, string defaultBase, CancellationToken cancellationToken)
    {
        GitResult all = await refs.TryRunAsync(cancellationToken, "for-each-ref", "--format=%(refname)").ConfigureAwait(false);
        foreach (string complaint in all.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(5))
        {
            string advice = complaint.Contains("broken ref", StringComparison.Ordinal) ? ": its file names no commit, as after a power loss. Look for the commit in its reflog, and delete the file" : "";
            findings.Add(new Finding(FindingIds.RefsDrift, complaint.Trim() + advice));
        }

        AddMany(findings, [.. Unlisted(all)], "cannot be read, or lead to one another in a circle. Delete them with git update-ref --no-deref -d");
        HashSet<string> now = [.. all.Output.Split('\n').Where(Baseline.IsWatched)];
        bool isIsolated = known is not null;
        HashSet<string> trusted = [.. isIsolated ? known!.Fetched.Keys.Concat(known.Own().Keys).Where(Baseline.IsWatched) : baseline.Current.Refs];
        AddMany(findings, [.. now.Except(trusted).Except(CheckedOut())], isIsolated
            ? "are not the remote's; a lease that lives made them, or the next claim or release removes them, and keeps their commits"
            : "are new since the baseline was taken; a former holder may have left them. Delete them, or accept them with worktree-pool trust");
        AddMany(findings, [.. trusted.Except(now)], isIsolated
            ? "are gone; the next claim or release puts them back"
            : "are gone since the baseline was taken. Restore them if nobody deleted them on purpose, or accept it with worktree-pool trust");
        string shortBase = defaultBase.StartsWith("refs/remotes/", StringComparison.Ordinal) ? defaultBase[13..] : defaultBase;
        if (!shortBase.StartsWith("refs/", StringComparison.Ordinal) && shortBase.Contains('/', StringComparison.Ordinal) && SafeFile.IsRealFile(Path.Combine(repository.CommonDirectory, shortBase)))
        {
            // The first place where git looks a short name up; it does not list what is there.
            findings.Add(new Finding(FindingIds.RefsDrift, $"{Path.Combine(repository.CommonDirectory, shortBase)} shadows what others see; the pool does not use it. Delete it"));
        }

        foreach (string name in all.Output.Split('\n'))
        {
            if (name == $"refs/{shortBase}" || name == $"refs/tags/{shortBase}" || name == $"refs/heads/{shortBase}" || name.StartsWith("refs/replace/", StringComparison.Ordinal))
            {
                findings.Add(new Finding(FindingIds.RefsDrift, $"{name} shadows or replaces what others see; the pool does not use it"));
            }
        }
    }
}
