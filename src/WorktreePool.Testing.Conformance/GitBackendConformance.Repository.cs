using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class GitBackendConformance
{
    /// <summary>A sound clone gives its common directory and the remote's default branch, and nothing to complain about.</summary>
    [Fact]
    public async Task Inspect_reads_a_sound_repository()
    {
        RepositoryFacts facts = await _git.InspectAsync(Token);
        Assert.Equal(_repository.Common, facts.CommonDirectory);
        Assert.Equal("refs/remotes/origin/main", facts.DefaultBase);
        Assert.Empty(facts.Findings);
    }

    /// <summary>Without a remote the base is the branch the repository is on.</summary>
    [Fact]
    public async Task Inspect_falls_back_to_the_current_branch()
    {
        string lone = Path.Combine(_repository.Root, "lone");
        await _repository.ShellAsync(_repository.Root, "git init -q -b trunk lone && cd lone && git commit -q --allow-empty -m x");
        Assert.Equal(Named("refs/heads/trunk"), (await InspectAsync(lone)).DefaultBase);
    }

    /// <summary>What cannot carry a pool is refused.</summary>
    /// <param name="script">Makes the place <c>bad</c>.</param>
    [Theory]
    [InlineData("mkdir bad")]
    [InlineData(":")]
    [InlineData("git init -q bad")]
    public async Task Inspect_refuses_what_cannot_carry_a_pool(string script)
    {
        await _repository.ShellAsync(_repository.Root, script);
        await Assert.ThrowsAnyAsync<GitBackendException>(() => InspectAsync(Path.Combine(_repository.Root, "bad")));
        Assert.False(Path.Exists(Path.Combine(_repository.Root, "pool of another")));
    }

    /// <summary>A bare repository has no checkout whose worktrees slots could be; a repository of the pool's own can come from it.</summary>
    [Fact]
    public async Task Inspect_tells_a_bare_repository()
    {
        await _repository.ShellAsync(_repository.Root, "git clone -q --bare origin.git bare");
        string bare = Path.Combine(_repository.Root, "bare");
        if (IsIsolated)
        {
            Assert.Equal("refs/remotes/origin/main", (await InspectAsync(bare)).DefaultBase);
        }
        else
        {
            Assert.Contains("bare", (await Assert.ThrowsAnyAsync<GitBackendException>(() => InspectAsync(bare))).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>In a repository of the pool's own a branch that a person names is the remote's.</summary>
    private string Named(string name) => IsIsolated ? name.Replace("refs/heads/", "refs/remotes/origin/", StringComparison.Ordinal) : name;

    /// <summary>A change of config, hooks, or info is found until it is trusted, or put back where the repository is the pool's own.</summary>
    /// <param name="script">The change.</param>
    /// <param name="finding">What is found.</param>
    [Theory]
    [InlineData("git config core.pager evil", FindingIds.ConfigDrift)]
    [InlineData("echo x > hooks/post-checkout && chmod +x hooks/post-checkout", FindingIds.HooksDrift)]
    [InlineData("mkdir -p info && echo '* text' > info/attributes", FindingIds.InfoDrift)]
    public async Task Drift_from_the_baseline_is_found_until_it_is_settled(string script, string finding)
    {
        await _repository.ShellAsync(_repository.Common, script);
        Assert.Contains((await _git.InspectAsync(Token)).Findings, found => found.Id == finding);
        Assert.Contains(await _git.FindDriftAsync(Token), found => found.Id == finding);
        Assert.Contains(_git.Isolated is { } isolated ? await isolated.RestoreAsync(Token) : await _git.TrustAsync(Token), found => found.Id == finding);
        Assert.DoesNotContain((await _git.InspectAsync(Token)).Findings, found => found.Id == finding);
        Assert.Empty(await _git.FindDriftAsync(Token));
        Assert.Empty(await _git.TrustAsync(Token));
    }

    /// <summary>A name means what git means by it.</summary>
    /// <param name="name">The configured base.</param>
    /// <param name="expected">The full refname.</param>
    [Theory]
    [InlineData("main", "refs/heads/main")]
    [InlineData("origin/main", "refs/remotes/origin/main")]
    [InlineData("refs/heads/main", "refs/heads/main")]
    [InlineData("v1", "refs/tags/v1")]
    public async Task Expand_gives_the_full_name(string name, string expected)
    {
        await _repository.GitAsync(_repository.Common, "tag", "v1", _repository.Commit);
        Assert.Equal(Named(expected), await _git.ExpandAsync(name, Token));
    }

    /// <summary>A commit stands for itself; what names nothing is an error of its own kind.</summary>
    [Fact]
    public async Task Expand_takes_commits_and_refuses_nothing()
    {
        Assert.Equal(_repository.Older, await _git.ExpandAsync(_repository.Older, Token));
        foreach (string nothing in new[] { "nothing", "origin/nothing", "refs/heads/nothing", "-x", "bad..name", new string('1', 40) })
        {
            await Assert.ThrowsAsync<BaseNotFoundException>(async () => await _git.ExpandAsync(nothing, Token));
        }
    }

    /// <summary>A ref gives its commit, an annotated tag the commit it is of, and what is missing or damaged gives null.</summary>
    [Fact]
    public async Task Resolve_gives_a_commit_or_null()
    {
        await _repository.ShellAsync(_repository.Common, "git tag -am x v2 origin/main && echo garbage > refs/heads/bad && : > refs/heads/zero && git update-ref refs/heads/tree 'origin/main^{commit}' && git tag atree 'origin/main^{tree}'");
        Assert.Equal(_repository.Commit, await _git.ResolveAsync("refs/remotes/origin/main", Token));
        Assert.Equal(_repository.Commit, await _git.ResolveAsync("refs/tags/v2", Token));
        Assert.Equal(_repository.Commit, await _git.ResolveAsync(_repository.Commit, Token));
        foreach (string missing in new[] { "refs/heads/missing", "refs/heads/bad", "refs/heads/zero", "refs/tags/atree", new string('1', 40) })
        {
            Assert.Null(await _git.ResolveAsync(missing, Token));
        }
    }

    /// <summary>Symbolic refs that lead to one another in a circle, planted by whoever, name nothing and do no harm; a branch that is one can be deleted.</summary>
    [Fact]
    public async Task Resolve_does_not_go_round_in_circles()
    {
        await _repository.ShellAsync(_repository.Common, "git symbolic-ref refs/heads/one refs/heads/two && git symbolic-ref refs/heads/two refs/heads/one && git symbolic-ref refs/heads/ok refs/remotes/origin/main");
        Assert.Null(await _git.ResolveAsync("refs/heads/one", Token));
        Assert.Equal(_repository.Commit, await _git.ResolveAsync("refs/heads/ok", Token));
        await _git.DeleteBranchAsync("one", Token);
        Assert.False(File.Exists(Path.Combine(_repository.Common, "refs", "heads", "one")));
    }

    /// <summary>Fetch brings the one ref up to date and moves no other.</summary>
    [Fact]
    public async Task Fetch_moves_one_ref()
    {
        await _repository.ShellAsync(Path.Combine(_repository.Root, "seed"), "git checkout -q -b other && git commit -q --allow-empty -m other && git push -q ../origin.git other && git tag v3 && git push -q ../origin.git v3 && git checkout -q main");
        string pushed = await _repository.PushAsync("more.txt", "more\n");
        Assert.Equal(_repository.Commit, await _git.ResolveAsync("refs/remotes/origin/main", Token));
        Assert.Equal(pushed, await _git.FetchAsync("refs/remotes/origin/main", Token));
        Assert.Equal(pushed, await _git.ResolveAsync("refs/remotes/origin/main", Token));
        Assert.Null(await _git.ResolveAsync("refs/remotes/origin/other", Token));
        Assert.Null(await _git.ResolveAsync("refs/tags/v3", Token));
        Assert.Equal(IsIsolated ? null : _repository.Commit, await _git.ResolveAsync("refs/heads/main", Token));
    }

    /// <summary>A force-pushed branch is followed.</summary>
    [Fact]
    public async Task Fetch_follows_a_rewritten_branch()
    {
        await _repository.ShellAsync(Path.Combine(_repository.Root, "seed"), "git reset -q --hard HEAD~1 && git commit -q --allow-empty -m rewritten && git push -qf ../origin.git main");
        string rewritten = await _repository.GitAsync(Path.Combine(_repository.Root, "seed"), "rev-parse", "HEAD");
        Assert.Equal(rewritten, await _git.FetchAsync("refs/remotes/origin/main", Token));
    }

    /// <summary>What belongs to no remote is not fetched; what the remote does not have, or a remote that is gone, is an error.</summary>
    [Fact]
    public async Task Fetch_says_what_it_cannot_do()
    {
        Assert.Null(await _git.FetchAsync("refs/heads/main", Token));
        Assert.Null(await _git.FetchAsync("refs/remotes/unknown/main", Token));
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.FetchAsync("refs/remotes/origin/missing", Token));
        await _repository.ShellAsync(_repository.Root, "mv origin.git gone.git");
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.FetchAsync("refs/remotes/origin/main", Token));
        Assert.Equal(_repository.Commit, await _git.ResolveAsync("refs/remotes/origin/main", Token));
    }

    /// <summary>A tracking ref in the way of a branch that the remote has now is found, and so is a base that the remote has no more; a stale one that is in nobody's way is not.</summary>
    [Fact]
    public async Task What_the_remote_has_now_is_compared()
    {
        await _repository.ShellAsync(Path.Combine(_repository.Root, "seed"), "git push -q ../origin.git main:old main:release main:top/one && git -C \"$1\" fetch -q", _repository.Common);
        Assert.Empty(await _git.ExamineRemotesAsync("refs/remotes/origin/main", Token));
        Assert.Empty(await _git.ExamineRemotesAsync("refs/heads/main", Token));
        await _repository.ShellAsync(Path.Combine(_repository.Root, "seed"), "git push -q ../origin.git :old :release :top/one && git push -q ../origin.git main:release/1 main:top");
        string before = await _repository.GitAsync(_repository.Common, "for-each-ref");

        Finding found = Assert.Single(await _git.ExamineRemotesAsync("refs/remotes/origin/main", Token));

        Assert.Equal(FindingIds.RefsDrift, found.Id);
        Assert.Contains("refs/remotes/origin/release, refs/remotes/origin/top/one ", found.Detail, StringComparison.Ordinal);
        Assert.Contains(await _git.ExamineRemotesAsync("refs/remotes/origin/old", Token), gone => gone.Detail.Contains("no branch old", StringComparison.Ordinal));
        Assert.Equal(before, await _repository.GitAsync(_repository.Common, "for-each-ref"));
        await _repository.ShellAsync(_repository.Common, "git remote prune origin && git fetch -q");
        Assert.Empty(await _git.ExamineRemotesAsync("refs/remotes/origin/main", Token));
        await _repository.ShellAsync(_repository.Root, "mv origin.git gone.git");
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.ExamineRemotesAsync("refs/remotes/origin/main", Token));
    }

    /// <summary>A claim's branch stands at the slot's commit with HEAD on it, and is gone after its deletion.</summary>
    /// <param name="branch">The short name.</param>
    [Theory]
    [InlineData("ticket")]
    [InlineData("cr/mc-4683")]
    [InlineData("größe")]
    public async Task A_branch_is_started_and_deleted(string branch)
    {
        SlotPlace place = await ProvisionAsync();
        await _git.StartBranchAsync(place, branch, _repository.Commit, Token);
        await AssertReadyAsync(place, branch: branch);
        Assert.Contains((await ProbeAsync(place)).Findings, finding => finding.Id == FindingIds.OnBranch);

        await _git.RepairAsync(place, _repository.Commit, RepairLevel.Reset, Token);
        await _git.DeleteBranchAsync(branch, Token);
        await _git.DeleteBranchAsync(branch, Token);
        Assert.Null(await _git.ResolveAsync("refs/heads/" + branch, Token));
        await AssertReadyAsync(place);
    }

    /// <summary>A branch that exists is left alone, wherever it stands; so is everything else.</summary>
    [Fact]
    public async Task A_branch_that_exists_is_refused()
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.GitAsync(_repository.Common, "branch", "taken", _repository.Older);
        await Assert.ThrowsAsync<BranchExistsException>(async () => await _git.StartBranchAsync(place, "taken", _repository.Commit, Token));
        Assert.Equal(_repository.Older, await _git.ResolveAsync("refs/heads/taken", Token));
        await AssertReadyAsync(place);
    }

    /// <summary>A name that git refuses is refused, before anything changes.</summary>
    /// <param name="branch">The name.</param>
    [Theory]
    [InlineData("bad..name")]
    [InlineData("-x")]
    [InlineData("a b")]
    [InlineData("x.lock")]
    [InlineData("/x")]
    [InlineData("a\nb")]
    [InlineData("HEAD")]
    public async Task A_branch_name_that_git_refuses_is_refused(string branch)
    {
        SlotPlace place = await ProvisionAsync();
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.StartBranchAsync(place, branch, _repository.Commit, Token));
        await AssertReadyAsync(place);
    }
}
