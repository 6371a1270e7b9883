using Microsoft.Extensions.Time.Testing;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.LibGit2;

public sealed class InProcessProbeTests : IAsyncLifetime
{
    private TestRepository _repository = null!;
    private SlotPlace _place = null!;
    private TrustedIndex _trusted = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _place = _repository.Place("slot-0");
        await _repository.GitAsync(_repository.Main, "worktree", "add", "-q", "--detach", _place.Path, "origin/main");
        _trusted = new TrustedIndex(_repository.Pool);
        _trusted.Keep("slot-0", _repository.Commit, Path.Combine(_repository.Main, ".git", "worktrees", "slot-0", "index"));
    }

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Fact]
    public void Files_whose_index_the_pool_did_not_write_are_not_trusted()
    {
        _trusted.Forget("slot-0");

        Run().Probe!.Findings.Should().ContainSingle().Which.Id.Should().Be(FindingIds.IndexUntrusted);
    }

    [Fact]
    public async Task A_file_that_the_holders_git_made_clean_under_a_planted_config_is_found()
    {
        // The holder's index says "unchanged" of a file whose bytes are not the pool's.
        await _repository.ShellAsync(_place.Path, "git config core.autocrlf true && rm README.md && git checkout -f -- . && touch -d '2 hours ago' README.md && git status");

        Run().Probe!.Findings.Select(finding => finding.Id).Should().Contain(FindingIds.TreeDiffers);
    }

    [Fact]
    public void A_worktree_that_is_as_the_pool_left_it_is_ready()
    {
        InProcessAnswer answer = Run();

        answer.Reason.Should().BeNull();
        answer.Probe!.Findings.Should().BeEmpty();
        answer.Probe.Head.Should().Be(_repository.Commit);
        answer.Probe.Admin.Should().Be("slot-0");
    }

    [Theory]
    [InlineData("echo '*.txt eol=crlf' > .gitattributes && git add . && git commit -qm x")]
    [InlineData("echo '*.txt filter=lfs' > .gitattributes && git add . && git commit -qm x")]
    [InlineData("echo '*.txt ident' > src/.gitattributes && git add . && git commit -qm x")]
    [InlineData("echo '*.none working-tree-encoding=UTF-16' > .gitattributes && git add . && git commit -qm x")]
    [InlineData("git update-index --add --cacheinfo \"160000,$(git rev-parse HEAD),sub\" && git commit -qm x")]
    public async Task What_could_change_bytes_is_left_to_git(string script)
    {
        await _repository.ShellAsync(_place.Path, script);

        Run(await _repository.GitAsync(_place.Path, "rev-parse", "HEAD")).Reason.Should().NotBeNull();
    }

    [Fact]
    public async Task Automatic_text_is_answered_here()
    {
        await _repository.ShellAsync(_place.Path, "echo '* text=auto' > .gitattributes && git add . && git commit -qm x");
        string commit = await _repository.GitAsync(_place.Path, "rev-parse", "HEAD");
        _trusted.Keep("slot-0", commit, Path.Combine(_repository.Main, ".git", "worktrees", "slot-0", "index"));

        Run(commit).Probe!.Findings.Should().BeEmpty();
    }

    [Theory]
    [InlineData("printf X | dd of=README.md conv=notrunc status=none")]
    [InlineData("cp README.md README.new && mv README.new README.md && printf X | dd of=README.md conv=notrunc status=none && touch -r src README.md")]
    [InlineData("ln README.md ../another")]
    public async Task Files_as_young_as_their_index_are_read_until_that_is_long_ago_and_a_change_is_seen_even_then(string change)
    {
        // As if the index had been written before all of them.
        File.SetLastWriteTimeUtc(_trusted.Find("slot-0", _repository.Commit)!, DateTime.UnixEpoch);
        var time = new FakeTimeProvider();
        var verified = new VerifiedIndexes(_trusted, time);
        var probe = new InProcessProbe(RepositoryLayout.Find(_repository.Main), _trusted, verified, new KeepPatterns([]));
        for (int claim = 0; claim < 3; claim++)
        {
            probe.Run(_place, new SlotTarget(_repository.Commit), TestContext.Current.CancellationToken).Probe!.Findings.Should().BeEmpty();
            verified.Find("slot-0")!.Proven.Should().BeEmpty();
        }

        time.Advance(TimeSpan.FromSeconds(3));
        probe.Run(_place, new SlotTarget(_repository.Commit), TestContext.Current.CancellationToken).Probe!.Findings.Should().BeEmpty();
        verified.Find("slot-0")!.Proven.Should().HaveCount(verified.Find("slot-0")!.Index.Entries.Length);

        await _repository.ShellAsync(_place.Path, change);
        probe.Run(_place, new SlotTarget(_repository.Commit), TestContext.Current.CancellationToken).Probe!.Findings.Should().Contain(finding => finding.Id == FindingIds.TreeDiffers);
    }

    private InProcessAnswer Run(string? commit = null) =>
        new InProcessProbe(RepositoryLayout.Find(_repository.Main), _trusted, new VerifiedIndexes(_trusted, TimeProvider.System), new KeepPatterns([])).Run(_place, new SlotTarget(commit ?? _repository.Commit), TestContext.Current.CancellationToken);
}
