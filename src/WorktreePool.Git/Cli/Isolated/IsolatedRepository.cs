using System.Text.Json;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>An isolated pool's repository: made aside and renamed into place, then restored from the baseline for ever.</summary>
internal sealed class IsolatedRepository(
    WorktreePoolOptions options, RepositoryLayout repository, Baseline baseline, KnownRefs known, RefOwners owners, FileRestorer files, RefRestorer references, WorktreeSweeper worktrees, RemoteRefs remote, GitRunner git)
    : IIsolatedRepository
{
    private const string BaselineName = "baseline.json";

    private readonly RefStore _store = new(repository);

    public async ValueTask EstablishAsync(CancellationToken cancellationToken)
    {
        if (baseline.Exists)
        {
            Check(baseline.Current);
            return;
        }

        if (!Adopt())
        {
            await MakeAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<IReadOnlyList<Finding>> RestoreAsync(CancellationToken cancellationToken)
    {
        if (baseline.Current.Isolation is null)
        {
            throw new GitBackendException($"The baseline of {repository.CommonDirectory} is lost, so that nobody can know what the repository shall be. Nothing was changed. Make it anew with worktree-pool trust.");
        }

        try
        {
            List<Finding> findings = files.Restore(baseline.Current);
            owners.Prepare();
            files.RemoveLocks(_store.FindLocks(), findings);
            findings.AddRange(await references.MendAsync(cancellationToken).ConfigureAwait(false));
            return findings;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"{repository.CommonDirectory} could not be put back to its baseline: {e.Message} Slots are not granted from a repository that somebody may have changed. Check the rights of that directory and the disk's space; the next claim tries again.", e);
        }
    }

    public async ValueTask<IReadOnlyList<Rescue>> SweepAsync(RefSweep sweep, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<Rescue> rescues = await references.SweepAsync(sweep, cancellationToken).ConfigureAwait(false);
            RepositoryUse use = await sweep.ReadUse(cancellationToken).ConfigureAwait(false);
            return [.. rescues, .. await worktrees.SweepAsync(sweep, use, cancellationToken).ConfigureAwait(false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GitBackendException($"The refs of {repository.CommonDirectory} could not be put back: {e.Message} What was to be kept is kept; the next claim goes on.", e);
        }
    }

    /// <summary>What a pool was made as, it stays.</summary>
    private void Check(BaselineDocument made)
    {
        if (made.Isolation is null)
        {
            throw new PoolConfigurationException(
                $"The pool in {options.PoolDirectory} was made over the user's repository, and Isolated is true. Nothing was changed. Leave Isolated out, or make an isolated pool in another directory and remove this one when its leases are released.");
        }

        if (options.Remote is { } wanted && wanted != made.Isolation.Remote)
        {
            throw new PoolConfigurationException(
                $"The pool in {options.PoolDirectory} fetches from {made.Isolation.Remote}, and Remote is {wanted}. Nothing was changed. Set Remote to what the pool was made with, or make a pool in another directory and remove this one when its leases are released.");
        }
    }

    /// <summary>Takes the baseline over from a repository that was made wholly, by another process or before a crash.</summary>
    private bool Adopt()
    {
        string corner = repository.Scratch;
        if (SafeFile.TryRead(Path.Combine(corner, BaselineName)) is not { } text || SafeFile.TryRead(Path.Combine(corner, KnownRefs.FileName)) is not { } refs)
        {
            return false;
        }

        BaselineDocument made = JsonSerializer.Deserialize(text, BaselineJson.Default.BaselineDocument)
            ?? throw new GitBackendException($"{corner} holds no baseline. Nothing was changed. Remove {repository.CommonDirectory} and repeat.");
        Check(made);
        known.KeepText(refs);
        baseline.Keep(made);
        return true;
    }

    private async ValueTask MakeAsync(CancellationToken cancellationToken)
    {
        bool isNewDirectory = !Directory.Exists(options.PoolDirectory);
        Directory.CreateDirectory(options.PoolDirectory);
        CrashPoint.Reached("pool directory made");
        RemoveUnfinished();
        string making = Path.Combine(options.PoolDirectory, Unfinished + Guid.NewGuid().ToString("N"));
        try
        {
            // Held by whoever is alive and making; nobody waits for it.
            FileStream alive = Hold(making);
            await using (alive.ConfigureAwait(false))
            {
                Directory.CreateDirectory(making);
                CrashPoint.Reached("place to make the isolated repository made");
                try
                {
                    await FillAsync(making, cancellationToken).ConfigureAwait(false);
                    TryMoveIntoPlace(making);
                }
                finally
                {
                    TreeRemoval.Remove(making);
                }
            }
        }
        finally
        {
            if (isNewDirectory)
            {
                // Another process may be at work there, too.
                TreeRemoval.RemoveIfEmpty(options.PoolDirectory);
            }
        }

        if (!Adopt())
        {
            throw new GitBackendException($"{repository.CommonDirectory} exists and is no repository that a pool has made. Nothing was changed. Move it away, or name another pool directory.");
        }
    }

    private const string Unfinished = ".repository-making-";

    private const string Alive = ".alive";

    private static FileStream Hold(string making)
    {
        var alive = new FileStream(making + Alive, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        CrashPoint.Reached("making of the isolated repository announced");
        return alive;
    }

    /// <summary>Removes what makers that are dead left.</summary>
    private void RemoveUnfinished()
    {
        IEnumerable<string> left = Directory.EnumerateFileSystemEntries(options.PoolDirectory, Unfinished + "*")
            .Select(path => path.EndsWith(Alive, StringComparison.Ordinal) ? path[..^Alive.Length] : path);
        foreach (string making in left.Distinct().ToList())
        {
            try
            {
                using FileStream dead = Hold(making);
                TreeRemoval.Remove(making);
            }
            catch (IOException)
            {
                // Its maker lives.
            }
        }
    }

    /// <summary>Fetches all that the remote has, and writes what the repository shall be into it, so that the rename brings everything at once.</summary>
    private async ValueTask FillAsync(string making, CancellationToken cancellationToken)
    {
        BaselineDocument document = await baseline.ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach (string directory in IsolatedFiles.Directories)
        {
            Directory.CreateDirectory(Path.Combine(making, directory));
            CrashPoint.Reached("directory of the isolated repository made");
        }

        foreach (IsolatedFile file in IsolatedFiles.Of(document))
        {
            file.Write(Path.Combine(making, file.Path));
        }

        string url = document.Isolation!.Remote;

        // The refs of the clone that is borrowed from are what need not be transferred.
        KeyValuePair<string, string>[] settings = [.. HermeticSettings.Settings.Where(setting => setting.Key != "core.alternateRefsCommand"), new("fetch.unpackLimit", "1")];
        GitCall Call(params IReadOnlyList<string> arguments) =>
            new GitCall(arguments) { Subject = repository.CommonDirectory, Environment = new Dictionary<string, string> { ["GIT_DIR"] = making }, Settings = settings }.ToRemote(document);
        GitResult fetched = await git.TryRunAsync(
            Call("fetch", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "--force", "--end-of-options", url, $"+refs/heads/*:refs/remotes/{IsolatedOrigin.RemoteName}/*", "+refs/tags/*:refs/tags/*"), cancellationToken).ConfigureAwait(false);
        if (!fetched.Succeeded)
        {
            throw new GitBackendException($"{url} could not be fetched: {fetched.Error.Trim().ReplaceLineEndings(" / ")}. No pool was made. Check the URL and your access to it; git fetch {url} shows the same.");
        }

        await git.RunAsync(Call("pack-refs", "--all"), cancellationToken).ConfigureAwait(false);
        var store = new RefStore(new RepositoryLayout(making));
        if (!store.Read().Keys.Any(name => name.StartsWith("refs/remotes/", StringComparison.Ordinal)))
        {
            throw new GitBackendException($"{url} has no branch that a slot could stand at. No pool was made. Push a commit there first.");
        }

        if (options.Base is { } wanted && !repository.NamesOf(wanted).Any(store.Read().ContainsKey)
            && !(await git.TryRunAsync(Call("rev-parse", "--verify", "-q", "--end-of-options", wanted + "^{commit}"), cancellationToken).ConfigureAwait(false)).Succeeded)
        {
            throw new BaseNotFoundException($"The base \"{wanted}\" names no commit that {url} has. No pool was made. Push it there, or give a branch, tag or commit that exists there.");
        }

        if (await remote.FindDefaultBranchAsync(url, document, cancellationToken).ConfigureAwait(false) is { } branch)
        {
            string tracking = $"refs/remotes/{IsolatedOrigin.RemoteName}/";
            store.TrySet(tracking + "HEAD", $"ref: {tracking}{branch}");
        }

        string corner = Path.Combine(making, Path.GetFileName(repository.Scratch));
        SafeFile.Write(Path.Combine(corner, KnownRefs.FileName), KnownRefs.Format(store.Read()));
        SafeFile.Write(Path.Combine(corner, BaselineName), Baseline.Serialize(document));
        CrashPoint.Reached("isolated repository made aside");
    }

    private void TryMoveIntoPlace(string making)
    {
        try
        {
            Directory.Move(making, repository.CommonDirectory);
            CrashPoint.Reached("isolated repository in place");
        }
        catch (IOException) when (Directory.Exists(repository.CommonDirectory))
        {
            // Another process was faster; what it made is as good.
        }
    }
}
