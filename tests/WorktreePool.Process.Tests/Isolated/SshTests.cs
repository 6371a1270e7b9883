namespace WorktreePool.Process.Tests.Isolated;

/// <summary>A remote behind ssh: the command that the user has configured reaches it, at every kind of fetch, and never one of a worker's.</summary>
public sealed class SshTests : IAsyncLifetime
{
    private readonly IsolatedPool _pool = new(byCommand: true);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task Ssh_runs_as_the_user_configured_it_and_not_as_a_worker_did()
    {
        // Says that it ran, and runs on this machine what is for another.
        _pool.Shell(_pool.Root, """
            printf '#!/bin/sh\ntest "$1" = -G && exit 1\necho "$@" >> %s/ssh.log\nfor last; do :; done\nexec sh -c "$last"\n' $ROOT > ssh; chmod +x ssh
            printf '#!/bin/sh\ntouch %s/PWNED\nexit 1\n' $ROOT > evil; chmod +x evil
            git config --global core.sshCommand $ROOT/ssh
            git init -q --object-format=sha256 -b main s; echo one > s/README.md; git -C s add -A; git -C s commit -qm one; git clone -q --bare s s.git
            """);
        string log = Path.Combine(_pool.Root, "ssh.log");
        await _pool.InitAsync(1, null, $"ssh://elsewhere{_pool.Root}/s.git");
        Took("init").Should().Contain("s.git");
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        _pool.Shell(path, "git config core.sshCommand $ROOT/evil; echo a > a.txt; git add -A; git commit -qm a; git config remote.origin.url ext::$ROOT/evil");
        await _pool.ReleaseAsync("A", discard: true);

        // Fetched: somebody pushes, and the keeper sees it.
        _pool.Shell(Path.Combine(_pool.Root, "s"), "echo two > two.txt; git add -A; git commit -qm two; git push -q ../s.git main");
        File.Delete(log);
        (await _pool.RunAsync("maintain")).Code.Should().Be(0);
        Took("fetch").Should().Contain("git-upload-pack");
        (await _pool.ClaimAsync("B")).Commit.Should().Be(Sandbox.Git(Path.Combine(_pool.Root, "s"), "rev-parse", "HEAD"));
        await _pool.ReleaseAsync("B");

        // Fetched anew: an object is lost.
        _pool.Shell(_pool.Own, """
            for p in objects/pack/*.pack; do mv $p $ROOT/pack; rm -f ${p%.pack}.*; git unpack-objects -q < $ROOT/pack; rm -f $ROOT/pack; done
            o=$(git rev-parse origin/main:README.md); rm -f objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)
            """);
        File.Delete(log);
        (await _pool.ClaimAsync("C")).Healed.Should().Contain("objects-missing");
        Took("refetch").Should().Contain("git-upload-pack");
        File.Exists(_pool.Canary).Should().BeFalse();

        string Took(string what) => File.Exists(log) ? File.ReadAllText(log) : throw new InvalidOperationException($"{what} did not use ssh");
    }
}
