using Xunit;

namespace WorktreePool.Testing.Conformance;

/// <summary>
/// What every <see cref="IGitBackend"/> must do, against real repositories. Derive a test class from it and make the backend;
/// git must be on the path, and the machine must have a POSIX shell.
/// </summary>
public abstract partial class GitBackendConformance : IAsyncLifetime
{
    private TestRepository _repository = null!;
    private IGitBackend _git = null!;

    /// <summary>Makes the backend under test.</summary>
    /// <param name="options">The repository, the pool's directory, and what to keep.</param>
    protected abstract IGitBackend Create(WorktreePoolOptions options);

    /// <summary>Whether it can check out file names that are not UTF-8. One that cannot must refuse the commit.</summary>
    protected virtual bool ChecksOutAnyName => true;

    /// <summary>Whether the suite runs over a repository of the pool's own (<see cref="WorktreePoolOptions.Isolated"/>), instead of the user's.</summary>
    protected virtual bool IsIsolated => false;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Makes the repository and the backend, and takes the trusted baseline.</summary>
    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync(IsIsolated).ConfigureAwait(false);
        _git = Create(Options());
        ConformanceOfAttribute.Check(GetType(), _git.GetType());
        await EstablishAsync(_git).ConfigureAwait(false);
        await _git.InspectAsync(Token).ConfigureAwait(false);
        await _git.TrustAsync(Token).ConfigureAwait(false);
    }

    /// <summary>Removes the repository.</summary>
    public async ValueTask DisposeAsync()
    {
        await _repository.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private WorktreePoolOptions Options(string? repository = null, params string[] keep)
    {
        var options = new WorktreePoolOptions
        {
            RepositoryPath = repository ?? _repository.Main,
            PoolDirectory = repository is null ? _repository.Pool : Path.Combine(_repository.Root, "pool of another"),
            Isolated = IsIsolated,
        };
        foreach (string pattern in keep)
        {
            options.Keep.Add(pattern);
        }

        return options;
    }

    /// <summary>Makes a repository of the pool's own; a user's is there.</summary>
    private static ValueTask EstablishAsync(IGitBackend git) => git.Isolated is { } isolated ? isolated.EstablishAsync(Token) : ValueTask.CompletedTask;

    /// <summary>Reads another repository as a pool over it would.</summary>
    private async Task<RepositoryFacts> InspectAsync(string repository)
    {
        IGitBackend git = Create(Options(repository));
        await EstablishAsync(git).ConfigureAwait(false);
        return await git.InspectAsync(Token).ConfigureAwait(false);
    }

    /// <summary>Makes a slot, and says where it is with the admin directory it got.</summary>
    private async Task<SlotPlace> ProvisionAsync(string slot = "slot-0", IGitBackend? git = null)
    {
        SlotPlace place = _repository.Place(slot);
        string admin = await (git ?? _git).RepairAsync(place, _repository.Commit, RepairLevel.Rebuild, Token).ConfigureAwait(false);
        return place with { Admin = admin };
    }

    private async Task<SlotProbe> ProbeAsync(SlotPlace place, string? commit = null, string? branch = null) =>
        await _git.ProbeAsync(place, new SlotTarget(commit ?? _repository.Commit, branch), Token).ConfigureAwait(false);

    private async Task AssertReadyAsync(SlotPlace place, string? commit = null, string? branch = null)
    {
        commit ??= _repository.Commit;
        SlotProbe probe = await ProbeAsync(place, commit, branch).ConfigureAwait(false);
        Assert.Empty(probe.Findings);
        Assert.Equal(commit, probe.Head);

        // The backend's own word is not enough: plain git and a look at the bytes must agree.
        Assert.Equal(commit, await _repository.GitAsync(place.Path, "rev-parse", "HEAD").ConfigureAwait(false));
        Assert.Equal(branch ?? "HEAD", await _repository.GitAsync(place.Path, "rev-parse", "--abbrev-ref", "HEAD").ConfigureAwait(false));
        Assert.Equal("", await _repository.GitAsync(place.Path, "status", "--porcelain", "--ignored").ConfigureAwait(false));
        Assert.Equal("", await _repository.ShellAsync(place.Path, """
            git ls-files -v | grep -v '^H ' || true
            find . -type d -empty
            find . ! -type d ! -type f ! -type l
            find . -type d ! -perm -u+rwx
            git ls-tree -r HEAD | while read -r mode type hash path; do
                if [ "$mode" = 120000 ]; then actual=$(readlink -n -- "$path" | git hash-object --stdin)
                else actual=$(git hash-object --no-filters -- "$path"); [ "$mode" = 100755 ] && [ ! -x "$path" ] && echo "$path: not executable"
                [ "$mode" = 100644 ] && [ -x "$path" ] && echo "$path: executable"; fi
                [ "$actual" = "$hash" ] || echo "$path: $actual, not $hash"
            done
            """).ConfigureAwait(false));
    }

    /// <summary>What is not the slot's: the main checkout, a sibling with its admin directory, and places behind links.</summary>
    private Task<string> NeighboursAsync(SlotPlace sibling) =>
        _repository.FingerprintAsync(_repository.Main, sibling.Path, _repository.AdminDirectory(sibling.Admin!), _repository.Outside);

    private Task<string> DamageAsync(SlotPlace place, SlotPlace sibling, string script) =>
        _repository.ShellAsync(
            place.Path,
            "admin=$1 main=$2 sibling=$3 outside=$4 slot=$5 older=$6\n" + script,
            _repository.AdminDirectory(place.Admin!), _repository.Main, sibling.Path, _repository.Outside, place.Path, _repository.Older);
}
