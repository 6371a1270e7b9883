using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class GitBackendConformance
{
    /// <summary>A user's repository is nobody's to put back; one of the pool's own is.</summary>
    [Fact]
    public void Only_a_repository_of_the_pools_own_can_be_put_back() => Assert.Equal(IsIsolated, _git.Isolated is not null);

    /// <summary>Whatever somebody makes of a repository of the pool's own, it is put back, and the slot in it is ready; the user's clone is not touched.</summary>
    /// <param name="script">What is done, in the repository.</param>
    [Theory]
    [InlineData("rm -r hooks info refs config HEAD packed-refs")]
    [InlineData("git config core.bare false && git config core.worktree / && git remote set-url origin /nowhere && echo ref: refs/heads/x > HEAD")]
    [InlineData("printf '\\377\\376[\\0' > config && : > packed-refs && echo nowhere > commondir")]
    [InlineData("git tag stray origin/main && git update-ref -d refs/remotes/origin/main && git pack-refs --all && : > packed-refs.lock && : > HEAD.lock")]
    public async Task A_repository_of_the_pools_own_is_put_back(string script)
    {
        if (_git.Isolated is not { } isolated)
        {
            return;
        }

        SlotPlace place = await ProvisionAsync();
        string user = await _repository.FingerprintAsync(_repository.Main);
        string before = await StateAsync();
        await _repository.ShellAsync(_repository.Common, script);

        Assert.NotEmpty(await isolated.RestoreAsync(Token));
        await isolated.SweepAsync(new RefSweep(place, null, false, At, _ => new(new RepositoryUse([new RepositoryUser(place, false, [])], null))), Token);

        Assert.Equal(before, await StateAsync());
        Assert.Empty(await isolated.RestoreAsync(Token));
        Assert.Empty((await _git.InspectAsync(Token)).Findings);
        Assert.Equal(user, await _repository.FingerprintAsync(_repository.Main));
        await AssertReadyAsync(place);

        Task<string> StateAsync() => _repository.ShellAsync(_repository.Common, "cat config HEAD; ls -R . | grep -v '^./objects' | grep -E 'lock|hooks|info|commondir'; ls -l hooks | cut -c1-10; git for-each-ref");
    }
}
