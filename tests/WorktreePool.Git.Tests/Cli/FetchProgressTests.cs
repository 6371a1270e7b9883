using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>What git says while it fetches.</summary>
public sealed class FetchProgressTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Receiving objects:  45% (450/1000), 1.20 MiB | 3.00 MiB/s", 450, 1000, "Receiving objects, 1.20 MiB | 3.00 MiB/s")]
    [InlineData("remote: Compressing objects: 100% (7/7), done.", 7, 7, "Compressing objects")]
    [InlineData("Resolving deltas:   0% (0/312)", 0, 312, "Resolving deltas")]
    public void A_line_of_progress_is_read(string line, long done, long total, string subject) =>
        FetchProgress.Read(line).Should().Be(new PoolProgress(PoolPhase.Fetching, done, total, subject));

    [Theory]
    [InlineData("remote: Enumerating objects: 5, done.")]
    [InlineData("From /srv/origin")]
    [InlineData("fatal: 100% (wrong)")]
    [InlineData("")]
    public void Any_other_line_is_none(string line) => FetchProgress.Read(line).Should().BeNull();

    [Fact]
    public async Task A_fetch_tells_how_far_it_has_come_and_keeps_its_complaints()
    {
        await using TestRepository repository = await TestRepository.CreateAsync();
        var git = new CliGitBackend(new WorktreePoolOptions { RepositoryPath = repository.Main, PoolDirectory = repository.Pool }, TimeProvider.System);
        await git.TrustAsync(Token);
        string pushed = await repository.PushAsync("more.txt", "more\n");
        var steps = new Steps();

        (await git.FetchAsync("refs/remotes/origin/main", Token, steps)).Should().Be(pushed);

        steps.Should().Contain(step => step.Phase == PoolPhase.Fetching && step.Total > 0 && step.Done == step.Total);
        Func<Task> missing = async () => await git.FetchAsync("refs/remotes/origin/missing", Token, steps);
        (await missing.Should().ThrowAsync<GitBackendException>()).Which.Message.Should().Contain("couldn't find remote ref");
    }

    private sealed class Steps : List<PoolProgress>, IProgress<PoolProgress>
    {
        public void Report(PoolProgress value) => Add(value);
    }
}
