using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Auto;

/// <summary>Where a checkout changes bytes, git answers, and slots are ready all the same.</summary>
public sealed class AutoGitBackendTests : IAsyncLifetime
{
    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("git config core.autocrlf true", "hello\r\n")]
    [InlineData("git config core.eol crlf && echo '* text=auto' > .gitattributes && git add . && git commit -qm x", "hello\r\n")]
    [InlineData("echo '*.md text eol=crlf' > .gitattributes && git add . && git commit -qm x", "hello\r\n")]
    [InlineData("echo '*.md filter=up' > .gitattributes && git config filter.up.smudge 'tr a-z A-Z' && git config filter.up.clean 'tr A-Z a-z' && git add . && git commit -qm x", "HELLO\n")]
    [InlineData("echo '* text=auto' > .gitattributes && git add . && git commit -qm x", "hello\n")]
    public async Task A_slot_of_a_repository_that_converts_is_ready(string script, string expected)
    {
        await _repository.ShellAsync(_repository.Main, script);
        string commit = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
        var git = new AutoGitBackend(new CliGitBackend(options, TimeProvider.System), options);
        await git.TrustAsync(Token);
        SlotPlace place = _repository.Place("slot-0");

        place = place with { Admin = await git.RepairAsync(place, commit, RepairLevel.Rebuild, Token) };

        (await File.ReadAllTextAsync(Path.Combine(place.Path, "README.md"), Token)).Should().Be(expected);
        (await git.ProbeAsync(place, new SlotTarget(commit), Token)).Findings.Should().BeEmpty();
        await File.AppendAllTextAsync(Path.Combine(place.Path, "README.md"), "more", Token);
        (await git.ProbeAsync(place, new SlotTarget(commit), Token)).Findings.Should().ContainSingle(finding => finding.Id == FindingIds.TreeDiffers);
    }
}
