using System.Collections.Concurrent;
using LibGit2Sharp;
using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Auto;

/// <summary>
/// The default: git by its command line, except that a ref is resolved and a slot is probed and reset in this process where the result is provably
/// git's own. That is so in a SHA-1 repository on Linux without filters, keywords, encodings, line ends other than a line feed, and submodules, in a
/// pool that is not sparse; a slot whose index is split or sparse, or that is damaged, is never ready either way. Whatever else there is, git does.
/// </summary>
internal sealed class AutoGitBackend : IGitBackend, IDisposable
{
    private readonly CliGitBackend _git;
    private readonly bool _isSparse;
    private readonly RepositoryLayout _repository;
    private readonly TrustedIndex _trusted;
    private readonly VerifiedIndexes _verified;
    private readonly KeepPatterns _keep;
    private readonly WatchedSlots? _watches;
    private readonly InProcessProbe _probe;

    /// <summary>For each slot the commit at which its last probe found it ready.</summary>
    private readonly ConcurrentDictionary<string, string> _readyAt = new(StringComparer.Ordinal);

    /// <summary>For each slot what its last reset did, if it was ready before; looked at by the next probe only.</summary>
    private readonly ConcurrentDictionary<string, SlotMove> _moves = new(StringComparer.Ordinal);

    private readonly ResetsAhead _ahead;

    public AutoGitBackend(CliGitBackend git, WorktreePoolOptions options)
    {
        (_git, _isSparse) = (git, options.Sparse.Count > 0);
        (_repository, _trusted, _keep) = (RepositoryLayout.Of(options), new TrustedIndex(options.PoolDirectory), KeepPatterns.Of(options));
        _watches = WatchedSlots.Of(options);
        _verified = new VerifiedIndexes(_trusted, git.Time);
        _probe = new InProcessProbe(_repository, _trusted, _verified, _keep, _watches);
        _ahead = new ResetsAhead(Plan);
    }

    public IRescueArchive Rescues => _git.Rescues;

    public IIsolatedRepository? Isolated => _git.Isolated;

    public ValueTask<RepositoryFacts> InspectAsync(CancellationToken cancellationToken) => _git.InspectAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> TrustAsync(CancellationToken cancellationToken) => _git.TrustAsync(cancellationToken);

    public ValueTask<IReadOnlyList<Finding>> FindDriftAsync(CancellationToken cancellationToken) => _git.FindDriftAsync(cancellationToken);

    /// <summary>A short name may mean several refs, of which git knows which is first; a full one, or an id, means one thing.</summary>
    public async ValueTask<string> ExpandAsync(string name, CancellationToken cancellationToken) =>
        (RefStore.IsId(name) || name.StartsWith("refs/", StringComparison.Ordinal)) && await InProcessAsync(name, cancellationToken).ConfigureAwait(false) is { } commit
            ? RefStore.IsId(name) ? commit : name
            : await _git.ExpandAsync(name, cancellationToken).ConfigureAwait(false);

    public async ValueTask<string?> ResolveAsync(string reference, CancellationToken cancellationToken) =>
        await InProcessAsync(reference, cancellationToken).ConfigureAwait(false) ?? await _git.ResolveAsync(reference, cancellationToken).ConfigureAwait(false);

    public ValueTask<string?> FetchAsync(string reference, CancellationToken cancellationToken, IProgress<PoolProgress>? progress = null) => _git.FetchAsync(reference, cancellationToken, progress);

    public ValueTask<IReadOnlyList<Finding>> ExamineRemotesAsync(string reference, CancellationToken cancellationToken) => _git.ExamineRemotesAsync(reference, cancellationToken);

    public async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        _moves.TryRemove(place.Slot, out SlotMove? move);
        if (!_isSparse && PlainBytes.WhyNot(_git.CheckoutSettings) is null)
        {
            // Off the caller's thread: a walk of a large slot takes a tenth of a second, and a dead file system never answers.
            Task<Finding?> damage = _git.ExamineObjectsAsync(target.Commit, cancellationToken).AsTask();
            if (target.Next is { } next)
            {
                _ahead.Begin(place, next, cancellationToken);
            }

            InProcessAnswer answer = await Task.Run(() => _probe.Run(place, target, cancellationToken, move), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            Finding? damaged = await damage.ConfigureAwait(false);
            if (answer.Probe is { } probe)
            {
                _readyAt.TryRemove(place.Slot, out _);
                if (probe.IsReady && damaged is null && target.Branch is null)
                {
                    _readyAt[place.Slot] = target.Commit;
                }
                else
                {
                    _ahead.Drop(place.Slot);
                }

                return damaged is null ? probe : probe with { Findings = [.. probe.Findings, damaged] };
            }
        }

        _readyAt.TryRemove(place.Slot, out _);
        return await _git.ProbeAsync(place, target, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<string> RepairAsync(SlotPlace place, string commit, RepairLevel level, CancellationToken cancellationToken)
    {
        _readyAt.TryRemove(place.Slot, out string? readyAt);
        _moves.TryRemove(place.Slot, out _);
        _watches?.Drop(place.Slot);
        using PlannedReset? planned = await _ahead.TakeAsync(place.Slot, commit).ConfigureAwait(false);
        if (level == RepairLevel.Reset && !_isSparse && PlainBytes.WhyNot(_git.CheckoutSettings) is null)
        {
            await _git.RepairObjectsAsync(commit, cancellationToken).ConfigureAwait(false);

            // Waits for the work to end, so that nobody else works on the slot meanwhile.
            if (await Task.Run(() => ResetInProcess(place, commit, readyAt, planned, cancellationToken), cancellationToken).ConfigureAwait(false) is { } admin)
            {
                return admin;
            }
        }

        return await _git.RepairAsync(place, commit, level, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask StartBranchAsync(SlotPlace place, string branch, string commit, CancellationToken cancellationToken) =>
        _git.StartBranchAsync(place, branch, commit, cancellationToken);

    public ValueTask DeleteBranchAsync(string branch, CancellationToken cancellationToken) => _git.DeleteBranchAsync(branch, cancellationToken);

    public ValueTask EvictAsync(SlotPlace place, CancellationToken cancellationToken) => _git.EvictAsync(place, cancellationToken);

    public ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken) =>
        _git.RescueAsync(place, request, cancellationToken);

    public ValueTask RemoveAsync(SlotPlace place, CancellationToken cancellationToken)
    {
        _watches?.Drop(place.Slot);
        return _git.RemoveAsync(place, cancellationToken);
    }

    public void Dispose()
    {
        _watches?.Dispose();
        _ahead.Dispose();
    }

    /// <summary>Resets the slot; null when git must do it: it knows more kinds of slots, and says what stands in the way.</summary>
    private string? ResetInProcess(SlotPlace place, string commit, string? readyAt, PlannedReset? planned, CancellationToken cancellationToken)
    {
        try
        {
            var admins = new AdminDirectory(_repository, SparseCone.Everything);
            if (!UnixFiles.IsSupported || _trusted.ReadUnstable(place.Slot).Count > 0 || Directory.Exists(Path.Combine(admins.PathOf(admins.NameFor(place)), "modules")))
            {
                return null;
            }

            // One that was planned from another index than the one by which the slot was found ready is of no use.
            using PlannedReset? anew = planned is not null && planned.Target.From == readyAt ? null : Plan(place, commit, static () => true, cancellationToken);
            PlannedReset reset = anew ?? planned!;
            string admin = reset.Repair.Run(place, commit, reset.Target, RepairLevel.Reset, readyAt, cancellationToken, out SlotMove? move);
            if (move is not null)
            {
                _moves[place.Slot] = move;
            }

            return admin;
        }
        catch (Exception e) when (e is GitBackendException or LibGit2SharpException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private PlannedReset Plan(SlotPlace place, string commit, Func<bool> isEnough, CancellationToken cancellationToken) =>
        PlannedReset.Make(_repository, _trusted, _verified, _keep, place, commit, isEnough, cancellationToken);

    private Task<string?> InProcessAsync(string reference, CancellationToken cancellationToken) =>
        Task.Run(() => ResolveInProcess(reference), cancellationToken).WaitAsync(cancellationToken);

    /// <summary>The commit that an id, or a ref that exists and is of a kind that is known here, means; null says nothing, and git is asked.</summary>
    private string? ResolveInProcess(string reference)
    {
        try
        {
            // Git refuses, and the command line backend then mends, a packed-refs that was cut off in a line; libgit2 finds what is left in it.
            var refs = new RefStore(_repository);
            if (!refs.Packed.EndsWithALine())
            {
                return null;
            }

            // Whether all of it is there is the probe's to say.
            if ((RefStore.IsId(reference) ? reference : refs.TryRead(reference)) is { } plain && _git.IsKnown(plain))
            {
                return plain;
            }

            using ObjectReader objects = ObjectReader.Open(_repository.CommonDirectory);
            return objects.Extension is null ? objects.Resolve(reference) : null;
        }
        catch (Exception e) when (e is LibGit2SharpException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
