using System.Text.Json;

namespace WorktreePool.Process.Tests.Isolated;

/// <summary>The clone that objects are borrowed from is the user's, who may prune it, move it, or delete it.</summary>
public sealed class BorrowedObjectsTests : IAsyncLifetime
{
    private readonly IsolatedPool _pool = new(byCommand: true);

    private string Clone => _pool.Sandbox.Repository;

    public async ValueTask InitializeAsync() => await _pool.InitAsync(2, Clone, null);

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task A_clone_that_is_pruned_takes_nothing_of_a_worker_along()
    {
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        _pool.Shell(path, "echo a > a.txt; git add -A; git commit -qm a");
        _pool.Shell(Clone, """
            git checkout -q --orphan other; git rm -rqf .; git commit -q --allow-empty -m other; git branch -qD main
            for ref in $(git for-each-ref --format='%(refname)'); do test $ref = refs/heads/other || git update-ref --no-deref -d $ref; done
            git reflog expire --expire=now --all; git gc -q --prune=now
            """);

        // What was borrowed is gone; the release fetches it, and loses nothing.
        string id = (await _pool.ReleaseAsync("A")).Should().ContainSingle().Subject;

        Sandbox.Git(_pool.Own, "show", $"refs/worktree-pool/rescue/{id}:a.txt").Should().Be("a");
        await _pool.ClaimAsync("B");
        Sandbox.Git(_pool.Own, "fsck", "--connectivity-only", "--no-dangling");
        (await _pool.DoctorAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_clone_that_is_moved_or_deleted_is_told_of_and_not_needed()
    {
        string path = (await _pool.ClaimAsync("A", "cr/a")).Path;
        _pool.Shell(path, "echo a > a.txt; git add -A; git commit -qm a");
        _pool.Shell(_pool.Root, "mv repo moved");

        await _pool.ClaimAsync("B");
        (await _pool.ReleaseAsync("A")).Should().ContainSingle();
        (await _pool.DoctorAsync()).Should().Equal("borrowed-objects-gone");
        _pool.Rescued("a.txt").Should().Equal("a");

        // Its user says where it is now.
        _pool.Shell(_pool.Root, "sed -i \"s#$ROOT/repo#$ROOT/moved#\" pool/pool.json");
        (await _pool.RunAsync("trust")).Code.Should().Be(0);
        await _pool.ClaimAsync("C");
        (await _pool.DoctorAsync()).Should().BeEmpty();
        (await File.ReadAllTextAsync(Path.Combine(_pool.Own, "objects", "info", "alternates"), TestContext.Current.CancellationToken)).Should().Contain("/moved/");
    }

    [Fact]
    public async Task Where_the_remote_is_gone_too_the_error_says_what_to_do_and_nothing_is_lost()
    {
        _pool.Shell(_pool.Root, "mv repo moved; mv origin.git elsewhere.git");

        (int code, JsonElement json) = await _pool.RunAsync("claim", "--key", "A");

        code.Should().NotBe(0);
        json.GetProperty("message").GetString().Should().Contain("could not be fetched from");
        (await _pool.RunAsync("doctor")).Json.ToString().Should().Contain("is gone").And.Contain("Put it back");
        _pool.Shell(_pool.Root, "mv moved repo");
        (await _pool.RunAsync("doctor", "--fix")).Code.Should().Be(0);
        await _pool.ClaimAsync("B");
    }
}
