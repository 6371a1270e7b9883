using LibGit2Sharp;
using WorktreePool.Git.Cli;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.LibGit2;

/// <summary>
/// Refs, branches, probes, and repairs in this process, on LibGit2Sharp's object store; baseline, fetch, rescue, and removal by the command
/// line. What it would get wrong it refuses. Work on a slot runs off the caller's thread and hears a cancellation between two files.
/// </summary>
internal sealed class LibGit2Backend : IGitBackend, IDisposable
{
    private const string Advice = "Nothing was changed. Use UseGit() or UseGitCli() for this repository.";

    private readonly CliGitBackend _git;
    private readonly WorktreePoolOptions _options;
    private readonly RepositoryLayout _repository;
    private readonly TrustedIndex _trusted;
    private readonly VerifiedIndexes _verified;
    private readonly KeepPatterns _keep;
    private readonly WatchedSlots? _watches;
    private readonly InProcessProbe _probe;

    public LibGit2Backend(CliGitBackend git, WorktreePoolOptions options)
    {
        (_git, _options) = (git, options);
        (_repository, _trusted, _keep) = (RepositoryLayout.Of(options), new TrustedIndex(options.PoolDirectory), KeepPatterns.Of(options));
        _watches = WatchedSlots.Of(options);
        _verified = new VerifiedIndexes(_trusted, git.Time);
        _probe = new InProcessProbe(_repository, _trusted, _verified, _keep, _watches);
    }

    public IRescueArchive Rescues => _git.Rescues;

    public IIsolatedRepository? Isolated => _git.Isolated;

    public async ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken)
    {
        await RunAsync(_ => true, cancellationToken).ConfigureAwait(false);
        return await _git.InspectAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => _git.TrustAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken) => _git.FindDriftAsync(cancellationToken);

    public async ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) =>
        await RunAsync(objects => Candidates(name).FirstOrDefault(candidate => objects.Resolve(candidate) is not null), cancellationToken).ConfigureAwait(false)
        ?? throw new BaseNotFoundException($"The base \"{name}\" names no commit in the repository. No slot was changed. Fetch it, or give a ref that exists.");

    public ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) =>
        RunAsync(objects => objects.Resolve(reference), cancellationToken);

    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null) => _git.FetchAsync(reference, cancellationToken, progress);

    public ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken) => _git.ExamineRemotesAsync(reference, cancellationToken);

    public async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        RefuseSparse();
        InProcessAnswer answer = await Task.Run(() => _probe.Run(place, target, cancellationToken), cancellationToken)
            .WaitAsync(cancellationToken).ConfigureAwait(false);
        SlotProbe probe = answer.Probe ?? throw new GitBackendException($"{place.Slot} cannot be probed by LibGit2Sharp: {answer.Reason}. {Advice}");
        return await _git.ExamineObjectsAsync(target.Commit, cancellationToken).ConfigureAwait(false) is { } damage ? probe with { Findings = [.. probe.Findings, damage] } : probe;
    }

    public async ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken)
    {
        _watches?.Drop(place.Slot);
        await _git.RepairObjectsAsync(commit, cancellationToken).ConfigureAwait(false);
        return await RunAsync(
            objects =>
            {
                var repair = new InProcessRepair(_repository, objects, _trusted, _verified, _keep);
                return repair.Run(place, commit, repair.Plan(place, commit, cancellationToken), level, readyAt: null, cancellationToken, out _);
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken) =>
        await RunAsync(
            objects =>
            {
                string reference = "refs/heads/" + branch;
                if (branch.StartsWith('-') || branch == "HEAD" || !Reference.IsValidName(reference))
                {
                    throw new GitBackendException($"Git does not accept \"{branch}\" as the name of a branch. Nothing was changed.");
                }

                try
                {
                    objects.Repository.Refs.Add(reference, new ObjectId(commit));
                }
                catch (NameConflictException) when (objects.Resolve(reference) == commit)
                {
                    // An earlier try made it and did not come to the end.
                }
                catch (NameConflictException)
                {
                    throw new BranchExistsException($"Branch \"{branch}\" exists already at another commit and was left as it is. {place.Slot} was not put on it. Choose another name, or delete it.");
                }

                var admins = new AdminDirectory(_repository, SparseCone.Everything);
                admins.WriteHead(admins.NameFor(place), "ref: " + reference);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public async ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken)
    {
        string reference = "refs/heads/" + branch;
        if (ObjectReader.SymbolicTarget(_repository.CommonDirectory, reference) is not null)
        {
            // LibGit2Sharp would follow it, without an end if it leads back to itself.
            await _git.DeleteBranchAsync(branch, cancellationToken).ConfigureAwait(false);
            return;
        }

        await RunAsync(
            objects =>
            {
                objects.Repository.Refs.Remove(reference);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken) => _git.EvictAsync(place, cancellationToken);

    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) =>
        _git.RescueAsync(place, request, cancellationToken);

    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken)
    {
        _watches?.Drop(place.Slot);
        return _git.RemoveAsync(place, cancellationToken);
    }

    public void Dispose() => _watches?.Dispose();

    private IEnumerable<string> Candidates(string name) => name.Length == 40 && name.All(char.IsAsciiHexDigit) ? [name] : _repository.NamesOf(name);

    private void RefuseSparse()
    {
        if (_options.Sparse.Count > 0)
        {
            throw new GitBackendException($"LibGit2Sharp misreads sparse checkouts, and the pool is sparse ({string.Join(", ", _options.Sparse)}). {Advice}");
        }
    }

    /// <summary>Runs work on the open repository, if it is one whose bytes LibGit2Sharp gets right. Waits for the work to end, so that nobody else works on the slot meanwhile.</summary>
    private async ValueTask<T> RunAsync<T>(Func<ObjectReader, T> work, CancellationToken cancellationToken)
    {
        RefuseSparse();
        if ((UnixFiles.IsSupported ? PlainBytes.WhyNot(_git.CheckoutSettings) : "this is no Linux") is { } reason)
        {
            throw new GitBackendException($"LibGit2Sharp cannot keep slots of this repository ready: {reason}. {Advice}");
        }

        return await Task.Run(
            () =>
            {
                using ObjectReader objects = Open();
                try
                {
                    return objects.Extension is { } extension
                        ? throw new GitBackendException($"The repository uses {extension}, which LibGit2Sharp does not know. {Advice}")
                        : work(objects);
                }
                catch (LibGit2SharpException e)
                {
                    throw new GitBackendException($"LibGit2Sharp failed in {_repository.CommonDirectory}: {e.Message}. A slot it worked on can be repaired again.", e);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private ObjectReader Open()
    {
        try
        {
            return ObjectReader.Open(_repository.CommonDirectory);
        }
        catch (LibGit2SharpException e)
        {
            throw new GitBackendException($"LibGit2Sharp cannot open {_repository.CommonDirectory}: {e.Message}. {Advice}", e);
        }
    }
}
