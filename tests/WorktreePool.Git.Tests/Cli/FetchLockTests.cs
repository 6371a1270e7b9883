using System.Diagnostics;
using WorktreePool.Git.Cli;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>One fetch into a repository at a time, whichever pool or process asks. The remote is reached by a command that tells when it is asked, and waits until it is let.</summary>
public sealed class FetchLockTests : IDisposable
{
    private const string Base = "refs/remotes/origin/main";

    private readonly string _root = Directory.CreateTempSubdirectory("worktree-pool-fetch-").FullName;

    public FetchLockTests() => Run("""
        git init -q -b main seed && git -C seed -c user.name=T -c user.email=t@example.invalid commit -q --allow-empty -m one
        git clone -q --bare seed origin.git && git clone -q origin.git repo && mkfifo let
        printf '#!/bin/sh\necho begin >> %s/asked\nread go < %s/let\ngit-upload-pack %s/origin.git\necho end >> %s/asked\n' "$PWD" "$PWD" "$PWD" "$PWD" > ssh && chmod +x ssh && : > asked
        git -C repo config core.sshCommand "$PWD/ssh" && git -C repo remote set-url origin ssh://remote/origin.git
        """);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string[] Asked => File.ReadAllLines(Path.Combine(_root, "asked"));

    private string Lock => Path.Combine(_root, "repo", ".git", "worktree-pool", "fetching");

    public void Dispose() => Run("rm -rf -- \"$PWD\"");

    [Fact]
    public async Task The_second_pool_waits_until_the_first_has_fetched()
    {
        var waiting = new TellingTime();
        CliGitBackend first = await PoolAsync("first", TimeProvider.System), second = await PoolAsync("second", waiting);
        Task<string?> one = first.FetchAsync(Base, Token).AsTask();
        await UntilAsync(() => Asked.Length > 0);

        Task<string?> other = second.FetchAsync(Base, Token).AsTask();
        await Task.WhenAny(waiting.Waits, other);
        Asked.Should().Equal("begin");
        other.IsCompleted.Should().BeFalse();

        Run("echo > let");
        (await one.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().NotBeNull();
        await UntilAsync(() => Asked.Length > 2);
        Run("echo > let");
        (await other.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().Be(await one);
        await UntilAsync(() => Asked.Length > 3);
        Asked.Should().Equal("begin", "end", "begin", "end");
    }

    [Fact]
    public async Task Who_waits_is_ended_by_its_deadline()
    {
        var waiting = new TellingTime();
        CliGitBackend pool = await PoolAsync("pool", waiting);
        Directory.CreateDirectory(Path.GetDirectoryName(Lock)!);
        using var held = new FileStream(Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<string?> fetch = pool.FetchAsync(Base, deadline.Token).AsTask();
        await waiting.Waits.WaitAsync(TimeSpan.FromSeconds(30), Token);

        await deadline.CancelAsync();

        await fetch.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
        Asked.Should().BeEmpty();
    }

    [Fact]
    public async Task What_a_killed_process_left_fetching_is_ended_first()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        CliGitBackend pool = await PoolAsync("pool", TimeProvider.System);
        var start = new ProcessStartInfo("sleep", ["600"]);
        start.Environment[GitRunner.Marker] = Lock;
        using Process orphan = Process.Start(start)!;
        Task<string?> fetch = pool.FetchAsync(Base, Token).AsTask();

        await orphan.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        await UntilAsync(() => Asked.Length > 0);
        Run("echo > let");
        (await fetch.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().NotBeNull();
    }

    [Theory]
    [InlineData("ln -s ../../outside repo/.git/worktree-pool")]
    [InlineData("mkdir -p repo/.git/worktree-pool && ln -s ../../../outside/made repo/.git/worktree-pool/fetching")]
    public async Task A_link_in_its_place_is_written_through_by_nobody(string plant)
    {
        CliGitBackend pool = await PoolAsync("pool", TimeProvider.System);
        Run($"mkdir outside && {plant}");

        (await pool.Awaiting(git => git.FetchAsync(Base, Token).AsTask()).Should().ThrowAsync<GitBackendException>()).Which.Message.Should().Contain("fetching").And.Contain("link");

        Directory.EnumerateFileSystemEntries(Path.Combine(_root, "outside")).Should().BeEmpty();
    }

    private async Task<CliGitBackend> PoolAsync(string name, TimeProvider time)
    {
        var options = new WorktreePoolOptions { RepositoryPath = Path.Combine(_root, "repo"), PoolDirectory = Path.Combine(_root, name), SlotsDirectory = Path.Combine(_root, name, "slots") };
        Directory.CreateDirectory(options.PoolDirectory);
        var git = new CliGitBackend(options, time);
        await git.TrustAsync(Token);
        return git;
    }

    private static async Task UntilAsync(Func<bool> happened)
    {
        while (!happened())
        {
            await Task.Delay(10, Token);
        }
    }

    private void Run(string script)
    {
        using Process shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-euc", script]) { WorkingDirectory = _root })!;
        shell.WaitForExit();
        shell.ExitCode.Should().Be(0, script);
    }
}
