using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class GitBackendConformance
{
    private const string HasGuide = "git ls-files -v | grep '^S docs/guide.txt$' && test ! -e docs && test -e src/deep/data.txt && test ! -e src/wide";

    /// <summary>A slot of a sparse pool has the configured directories, with all else hidden and nothing else, for git in the slot as well; or the backend refuses.</summary>
    [Fact]
    public async Task A_sparse_pool_has_the_configured_part()
    {
        if (await ProvisionSparseAsync() is not { } place)
        {
            return;
        }

        await _repository.ShellAsync(place.Path, HasGuide);
        Assert.Equal("src/deep", await _repository.GitAsync(place.Path, "sparse-checkout", "list"));
        Assert.Equal("", await _repository.GitAsync(place.Path, "status", "--porcelain", "--ignored"));
        Assert.Empty((await ProbeAsync(place)).Findings);

        // A holder's own checkout keeps to it.
        await _repository.GitAsync(place.Path, "checkout", "-q", "--detach", _repository.Older);
        await _repository.GitAsync(place.Path, "checkout", "-q", "--detach", _repository.Commit);
        await _repository.ShellAsync(place.Path, HasGuide);
    }

    /// <summary>Whatever a holder does to a sparse slot, it is found and healed.</summary>
    /// <param name="script">What is done, in the slot.</param>
    [Theory]
    [InlineData("git sparse-checkout disable")]
    [InlineData("git sparse-checkout set docs")]
    [InlineData("git sparse-checkout add docs")]
    [InlineData("git update-index --no-skip-worktree docs/guide.txt")]
    [InlineData("git update-index --skip-worktree README.md && rm README.md")]
    [InlineData("git update-index --skip-worktree src/app.cs && echo x > src/app.cs")]
    [InlineData("mkdir docs && echo mine > docs/guide.txt")]
    [InlineData("mkdir docs")]
    [InlineData("mkdir -p src/wide && echo mine > src/wide/new.txt")]
    [InlineData("rm \"$admin/info/sparse-checkout\"")]
    [InlineData("rm \"$admin/config.worktree\"")]
    [InlineData("git config --worktree core.fsmonitor \"$outside/evil.sh\"")]
    [InlineData("echo /docs/ > \"$admin/info/sparse-checkout\"")]
    [InlineData("rm \"$admin/info/sparse-checkout\" && ln -s \"$outside/precious.txt\" \"$admin/info/sparse-checkout\"")]
    [InlineData("echo x > \"$admin/info/exclude\"")]
    [InlineData("rm \"$admin/index\"")]
    [InlineData("rm -r \"$admin\"")]
    public async Task A_damaged_sparse_slot_is_healed(string script)
    {
        if (await ProvisionSparseAsync() is not { } place)
        {
            return;
        }

        await DamageAsync(place, place, script);
        Assert.NotEmpty((await ProbeAsync(place)).Findings);
        await _git.RepairAsync(place, _repository.Commit, RepairLevel.Rebuild, Token);
        Assert.Empty((await ProbeAsync(place)).Findings);
        await _repository.ShellAsync(place.Path, HasGuide);
        Assert.Equal("", await _repository.GitAsync(place.Path, "status", "--porcelain", "--ignored"));
        Assert.Equal("precious", (await File.ReadAllTextAsync(Path.Combine(_repository.Outside, "precious.txt"), Token)).Trim());
    }

    /// <summary>What is rescued of a sparse slot is the work, and not that the rest is not there.</summary>
    [Fact]
    public async Task A_rescue_of_a_sparse_slot_is_whole()
    {
        if (await ProvisionSparseAsync() is not { } place)
        {
            return;
        }

        await _repository.ShellAsync(place.Path, "echo work > src/deep/data.txt; mkdir docs; echo found > docs/new.txt; echo changed > docs/guide.txt");
        Rescue rescue = (await _git.RescueAsync(place, new RescueRequest("K", 1, null, _repository.Commit, "test", At), Token))!;
        Assert.Equal("docs/guide.txt\ndocs/new.txt\nsrc/deep/data.txt", await _repository.GitAsync(_repository.Common, "diff", "--name-only", _repository.Commit, rescue.Commit));
        Assert.Equal("changed", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":docs/guide.txt"));

        // Commits that change what the slot does not have: nothing is missing from them.
        await _repository.ShellAsync(place.Path, "git checkout -q -f --detach && git clean -fdxq && echo more > wide.txt && blob=$(git hash-object -w wide.txt) && rm wide.txt && git update-index --cacheinfo 100644,$blob,src/wide/file.txt && git commit -qm wide");
        rescue = (await _git.RescueAsync(place, new RescueRequest("K", 2, null, _repository.Commit, "test", At), Token))!;
        Assert.Equal("src/wide/file.txt", await _repository.GitAsync(_repository.Common, "diff", "--name-only", _repository.Commit, rescue.Commit));
        Assert.Equal(1, rescue.Commits);
    }

    /// <summary>Without the extension that lets one worktree be sparse by itself, the pool is refused with the command that sets it, and nothing is made.</summary>
    [Fact]
    public async Task A_sparse_pool_needs_worktree_config()
    {
        Assert.SkipWhen(IsIsolated, "a repository of the pool's own has it as soon as the pool is sparse");
        WorktreePoolOptions options = Options();
        options.Sparse.Add("src");
        GitBackendException refusal = await Assert.ThrowsAnyAsync<GitBackendException>(async () =>
        {
            IGitBackend git = Create(options);
            await git.TrustAsync(Token);
            await git.RepairAsync(_repository.Place("slot-0"), _repository.Commit, RepairLevel.Rebuild, Token);
        });
        Assert.Contains("sparse", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_repository.Place("slot-0").Path));
    }

    /// <summary>Adds what shall not be in the slots, and makes one; null when the backend refuses sparse pools.</summary>
    private async Task<SlotPlace?> ProvisionSparseAsync()
    {
        await _repository.ShellAsync(Path.Combine(_repository.Root, "seed"), "mkdir -p docs src/wide && echo guide > docs/guide.txt && echo wide > src/wide/file.txt");
        await _repository.UseAsync(await _repository.PushAsync("more.txt", "more\n"));
        if (!IsIsolated)
        {
            await _repository.ShellAsync(_repository.Main, "git config extensions.worktreeConfig true");
        }

        WorktreePoolOptions options = Options();
        options.Sparse.Add("/src/deep/");
        _git = Create(options);
        try
        {
            await _git.TrustAsync(Token);
            if (_git.Isolated is { } isolated)
            {
                await isolated.RestoreAsync(Token);
            }

            return await ProvisionAsync();
        }
        catch (GitBackendException refusal) when (refusal.Message.Contains("sparse", StringComparison.Ordinal))
        {
            Assert.False(Directory.Exists(_repository.Place("slot-0").Path));
            return null;
        }
    }
}
