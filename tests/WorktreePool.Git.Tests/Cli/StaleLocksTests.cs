using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using WorktreePool.Git.Cli;
using WorktreePool.Testing;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>A lock in the way of the pool's own git goes when nobody can hold it any more, and not before.</summary>
public sealed class StaleLocksTests : IAsyncLifetime
{
    private readonly WaitedFor _time = new();
    private TestRepository _repository = null!;
    private CliGitBackend _git = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _git = new CliGitBackend(new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool }, _time);
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
    public async Task A_young_one_is_waited_for_until_nobody_can_hold_it(string place)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "whether a git is at work is told through /proc");
        string path = await LockAsync(place, "now");
        Task delete = _git.DeleteBranchAsync("left", Token).AsTask();

        await _time.Waiting.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(9));
        delete.IsCompleted.Should().BeFalse("nobody has given the lock back");
        File.Exists(path).Should().BeTrue();
        await EndAsync(delete);

        File.Exists(path).Should().BeFalse();
        (await _git.ResolveAsync("refs/heads/left", Token)).Should().BeNull();
    }

    [Fact]
    public async Task One_that_is_given_back_is_waited_for()
    {
        string path = await LockAsync("packed-refs.lock", "now");
        Task delete = _git.DeleteBranchAsync("left", Token).AsTask();
        await _time.Waiting.WaitAsync(Token);

        File.Delete(path);
        await EndAsync(delete);

        (await _git.ResolveAsync("refs/heads/left", Token)).Should().BeNull();
    }

    [Fact]
    public async Task The_wait_ends_with_its_deadline()
    {
        string path = await LockAsync("packed-refs.lock", "now");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task delete = _git.DeleteBranchAsync("left", deadline.Token).AsTask();
        await _time.Waiting.WaitAsync(Token);

        await deadline.CancelAsync();

        await delete.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        File.Exists(path).Should().BeTrue();
    }

    [Fact]
    public async Task One_of_a_ref_that_only_pools_write_goes_after_a_second()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "whether a git is at work is told through /proc");
        var slot = new SlotPlace("slot-0", Path.Combine(_repository.Pool, "slots", "slot-0"), null);
        slot = slot with { Admin = await _git.RepairAsync(slot, _repository.Commit, RepairLevel.Rebuild, Token) };
        await File.WriteAllTextAsync(Path.Combine(slot.Path, "work.txt"), "work", Token);
        var request = new RescueRequest("K", 1, null, _repository.Commit, "release", new DateTimeOffset(2026, 6, 3, 21, 0, 0, TimeSpan.Zero));
        Rescue rescue = (await _git.RescueAsync(slot, request, Token))!;
        await _repository.GitAsync(_repository.Main, "update-ref", "-d", rescue.Ref);
        string path = await LockAsync(rescue.Ref + ".lock", "now");

        Task<Rescue?> again = _git.RescueAsync(slot, request, Token).AsTask();
        await _time.Waiting.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(2));

        (await again).Should().Be(rescue);
        File.Exists(path).Should().BeFalse();
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

        Task delete = _git.DeleteBranchAsync("left", Token).AsTask();
        (await delete.Invoking(EndAsync).Should().ThrowAsync<GitBackendException>()).Which.Message.Should().Contain("left as it is");
        File.Exists(path).Should().BeTrue();
        (await _git.ResolveAsync("refs/heads/left", Token)).Should().NotBeNull();
        working.StandardInput.Close();
        await working.WaitForExitAsync(Token);

        await _git.DeleteBranchAsync("left", Token);
        File.Exists(path).Should().BeFalse();
    }

    [Fact]
    public async Task A_directory_in_a_lock_s_place_is_not_waited_for()
    {
        string path = await LockAsync("refs/heads/left.lock", "now");
        File.Delete(path);
        Directory.CreateDirectory(path);

        await _git.Invoking(git => git.DeleteBranchAsync("left", Token).AsTask()).Should().ThrowAsync<GitBackendException>();
        Directory.Exists(path).Should().BeTrue();
    }

    private Task EndAsync(Task task)
    {
        return Clock.RunAsync(ResultOf(), _time.Advance, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));

        async Task<bool> ResultOf()
        {
            await task;
            return true;
        }
    }

    private async Task<string> LockAsync(string place, string when)
    {
        string path = Path.Combine(_repository.Main, ".git", place);
        await _repository.ShellAsync(_repository.Main, "git branch left && git pack-refs --all && mkdir -p \"$(dirname \"$1\")\" && touch -d \"$2\" \"$1\"", path, when);
        return path;
    }

    /// <summary>A clock that stands still, and tells when somebody waits for it to go on.</summary>
    private sealed class WaitedFor() : FakeTimeProvider(DateTimeOffset.UtcNow)
    {
        private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Waiting => _waiting.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            _waiting.TrySetResult();
            return timer;
        }
    }
}
