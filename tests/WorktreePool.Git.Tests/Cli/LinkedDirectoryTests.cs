using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>
/// A link in the place of a tracked directory is work like any other, and kept as a link. Nothing behind it is opened, counted or changed, wherever it
/// leads: git is asked in ways that stop at the link.
/// </summary>
public sealed class LinkedDirectoryTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 6, 3, 21, 0, 0, TimeSpan.Zero);

    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("mkfifo $outside/src/.gitattributes; touch $outside/src/app.cs; rm -r src; ln -s $outside/src src", "src", "OUTSIDE/src")]
    [InlineData("mkfifo $outside/src/.gitignore; touch $outside/src/app.cs; rm -r src; ln -s $outside/src src", "src", "OUTSIDE/src")]
    [InlineData("mkfifo $outside/src/deep/.gitattributes; touch $outside/src/deep/*; rm -r src/deep; ln -s $outside/src/deep src/deep", "src/deep", "OUTSIDE/src/deep")]
    [InlineData("truncate -s 100G $outside/src/app.cs; rm -r src; ln -s $outside/src src", "src", "OUTSIDE/src")]
    [InlineData("rm -r src; ln -s /dev src", "src", "/dev")]
    [InlineData("rm -r src; ln -s src src", "src", "src")]
    [InlineData("rm -r src; ln -s . src", "src", ".")]
    [InlineData("rm -r src; ln -s ../slot-0 src", "src", "../slot-0")]
    public async Task It_is_kept_as_a_link_and_nothing_behind_it_is_opened(string script, string path, string target)
    {
        (CliGitBackend git, SlotPlace slot) = await ProvisionAsync();
        await _repository.ShellAsync(slot.Path, "outside=$1; cp -a src $outside/src\n" + script, _repository.Outside);
        string outside = await ListAsync();

        (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).IsReady.Should().BeFalse();
        Rescue rescue = (await git.RescueAsync(slot, new RescueRequest("K", 1, null, _repository.Commit, "release", At), Token))!;
        await git.RepairAsync(slot, _repository.Commit, RepairLevel.Reset, Token);

        (await _repository.GitAsync(_repository.Main, "ls-tree", rescue.Commit, path)).Should().StartWith("120000");
        (await _repository.GitAsync(_repository.Main, "show", $"{rescue.Commit}:{path}")).Should().Be(target.Replace("OUTSIDE", _repository.Outside, StringComparison.Ordinal));
        (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty();
        (await ListAsync()).Should().Be(outside);
    }

    [Fact]
    public async Task Files_that_are_gone_behind_an_ignored_link_are_kept_as_gone()
    {
        (CliGitBackend git, SlotPlace slot) = await ProvisionAsync();
        await _repository.ShellAsync(slot.Path, "rm -r src; ln -s src src; echo src >> .gitignore");

        Rescue rescue = (await git.RescueAsync(slot, new RescueRequest("K", 1, null, _repository.Commit, "release", At), Token))!;

        (await _repository.GitAsync(_repository.Main, "ls-tree", "-r", "--name-only", rescue.Commit)).Should().NotContain("src");
    }

    /// <summary>Every file's kind, rights and size, and the bytes of those that have some; a pipe is not opened.</summary>
    private Task<string> ListAsync() => _repository.ShellAsync(_repository.Outside, "find . -printf '%p %y %m %s\\n' | sort; find . -type f -size -1M -exec sha1sum {} + | sort");

    private async Task<(CliGitBackend Git, SlotPlace Slot)> ProvisionAsync()
    {
        var git = new CliGitBackend(new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool }, TimeProvider.System);
        await git.InspectAsync(Token);
        await git.TrustAsync(Token);
        SlotPlace slot = _repository.Place("slot-0");
        return (git, slot with { Admin = await git.RepairAsync(slot, _repository.Commit, RepairLevel.Rebuild, Token) });
    }
}
