using System.Diagnostics;
using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>A lock in the way of the pool's own git goes when nobody can hold it any more, and not before.</summary>
public sealed class StaleLocksTests : IAsyncLifetime
{
    private TestRepository _repository = null!;
    private CliGitBackend _git = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _git = new CliGitBackend(new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool }, TimeProvider.System);
        await _git.TrustAsync(Token);
    }

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("refs/heads/left.lock")]
    [InlineData("packed-refs.lock")]
    public async Task An_old_lock_without_a_git_goes(string place)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "whether a git is at work is told through /proc");
        string path = await LockAsync(place, "1 minute ago");

        await _git.DeleteBranchAsync("left", Token);

        (await _git.ResolveAsync("refs/heads/left", Token)).Should().BeNull();
        File.Exists(path).Should().BeFalse();
    }

    [Theory]
    [InlineData("refs/heads/left.lock")]
    [InlineData("packed-refs.lock")]
    public async Task A_young_one_stays(string place)
    {
        string path = await LockAsync(place, "now");

        await AssertStaysAsync(path);
    }

    [Fact]
    public async Task One_stays_while_a_git_is_at_work_although_it_has_no_file_open()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "whether a git is at work is told through /proc");
        var start = new ProcessStartInfo("git", ["cat-file", "--batch-check"]) { WorkingDirectory = _repository.Main, RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process working = Process.Start(start)!;
        await working.StandardInput.WriteLineAsync("HEAD");
        await working.StandardInput.FlushAsync(Token);
        await working.StandardOutput.ReadLineAsync(Token);
        string path = await LockAsync("refs/heads/left.lock", "1 hour ago");

        await AssertStaysAsync(path);
        working.StandardInput.Close();
        await working.WaitForExitAsync(Token);

        await _git.DeleteBranchAsync("left", Token);
        File.Exists(path).Should().BeFalse();
    }

    private async Task AssertStaysAsync(string path)
    {
        Func<Task> delete = async () => await _git.DeleteBranchAsync("left", Token);
        (await delete.Should().ThrowAsync<GitBackendException>()).Which.Message.Should().Contain("left as it is");
        File.Exists(path).Should().BeTrue();
        (await _git.ResolveAsync("refs/heads/left", Token)).Should().NotBeNull();
    }

    private async Task<string> LockAsync(string place, string when)
    {
        string path = Path.Combine(_repository.Main, ".git", place);
        await _repository.ShellAsync(_repository.Main, "git branch left && git pack-refs --all && mkdir -p \"$(dirname \"$1\")\" && touch -d \"$2\" \"$1\"", path, when);
        return path;
    }
}
