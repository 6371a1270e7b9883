using System.Text.Json;

namespace WorktreePool.Process.Tests.Isolated;

/// <summary>Where a pool's own repository may come from: the kinds of clones it may borrow from, and of remotes it may fetch from.</summary>
public sealed class OriginTests : IAsyncLifetime
{
    private const string Alternates = "objects/info/alternates";

    private readonly IsolatedPool _pool = new(byCommand: false);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Theory]
    [InlineData("shallow", false, "git clone -q --depth 1 file://$ROOT/origin.git real")]
    [InlineData("partial", false, "git -C origin.git config uploadpack.allowFilter true; git clone -q --filter=blob:none file://$ROOT/origin.git real")]
    [InlineData("a worktree", true, "git -C repo worktree add -q ../real")]
    [InlineData("bare", true, "git clone -q --bare origin.git real")]
    [InlineData("borrowing itself", true, "git clone -q --shared origin.git real")]
    [InlineData("without a remote", false, "cp -a repo real; git -C real remote rm origin")]
    [InlineData("a relative remote", true, "git clone -q origin.git real; git -C real remote set-url origin ../origin.git")]
    [InlineData("another remote's name", true, "git clone -q -o upstream origin.git real")]
    [InlineData("SHA-256", true, "git init -q --object-format=sha256 -b main s; cd s; echo one > README.md; git add -A; git commit -qm one; git clone -q --bare . ../s.git; cd ..; git clone -q s.git real")]
    [InlineData("odd letters in its path", true, "mkdir 'a b#é\"'; git clone -q origin.git 'a b#é\"/c'; ln -s 'a b#é\"/c' real")]
    public async Task A_clone_of_any_kind(string kind, bool lends, string script)
    {
        _pool.Shell(_pool.Root, script);
        string real = Path.Combine(_pool.Root, "real");
        await _pool.InitAsync(1, real, null);
        File.Exists(Path.Combine(_pool.Own, Alternates)).Should().Be(lends, kind);
        var clone = DirectoryTree.Read(real);
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        _pool.Shell(path, "echo work > work.txt; git add -A; git commit -qm work; echo more > more.txt; git fetch -q origin");

        string id = (await _pool.ReleaseAsync("A")).Should().ContainSingle().Subject;

        clone.ShouldBeUnchanged($"it is the user's: {kind}");
        await _pool.RestoreAsync(id, "back");
        Sandbox.Git(real, "show", "back:more.txt").Should().Be("more");
        (await _pool.ClaimAsync("B")).Healed.Should().BeEmpty(kind);
    }

    [Theory]
    [InlineData("a file URL", "file://$ROOT/origin.git", "true")]
    [InlineData("odd letters", "$ROOT/a b#é%20.git", "mv origin.git 'a b#é%20.git'")]
    [InlineData("another default branch", "$ROOT/trunk.git", "git init -q -b trunk t; git -C t commit -q --allow-empty -m one; git clone -q --bare t trunk.git; rm -r origin.git")]
    [InlineData("no default branch", "$ROOT/headless.git/", "git clone -q --bare seed headless.git; git -C headless.git symbolic-ref HEAD refs/heads/nothing")]
    [InlineData("SHA-256", "$ROOT/s.git", "git init -q --object-format=sha256 -b main s; git -C s commit -q --allow-empty -m one; git clone -q --bare s s.git; git -C s.git symbolic-ref HEAD refs/heads/nothing")]
    public async Task A_remote_of_any_kind(string kind, string url, string script)
    {
        _pool.Shell(_pool.Root, script);
        await _pool.InitAsync(1, null, url.Replace("$ROOT", _pool.Root, StringComparison.Ordinal));
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        _pool.Shell(path, "git commit -q --allow-empty -m work; git push -q origin cr/a; git fetch -q");

        (await _pool.ReleaseAsync("A")).Should().BeEmpty(kind);
        await _pool.ClaimAsync("B");
        (await _pool.DoctorAsync()).Should().BeEmpty(kind);
    }

    [Theory]
    [InlineData("nobody answers", "http://127.0.0.1:1/x.git", "could not be fetched|No pool was made")]
    [InlineData("a transport that runs a command", "ext::sh -c touch% $ROOT/PWNED", "could not be fetched|No pool was made")]
    [InlineData("no repository", "$ROOT/outside", "could not be fetched|No pool was made")]
    public async Task A_remote_that_cannot_be_fetched(string kind, string url, string words)
    {
        var before = DirectoryTree.Read(_pool.Root);

        (int code, JsonElement json) = await _pool.RunAsync("init", "--remote", url.Replace("$ROOT", _pool.Root, StringComparison.Ordinal), "--slots", "1");

        code.Should().Be(70, kind);
        json.GetProperty("message").GetString().Should().ContainAll(words.Split('|'));
        before.ShouldBeUnchanged(kind);
    }
}
