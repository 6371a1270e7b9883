using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>A keep pattern keeps what is not tracked, in its place, and shelters nothing else.</summary>
public sealed class KeepAbuseTests : IAsyncLifetime
{
    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    /// <summary>The last three: what is found, what is gone after a reset, and what is still there.</summary>
    [Theory]
    [InlineData("a pattern over a tracked directory hides no change in it", "/src/", "echo x >> src/app.cs; echo x > src/new", "tree-differs untracked", "src/new", "src/app.cs")]
    [InlineData("nor does one over everything", "/*", "echo x >> README.md; echo x > new; mkdir dir", "tree-differs", "", "new dir")]
    [InlineData("a kept directory may hold a repository, which is not run", "/.cache/", "git init -q .cache/r; git -C .cache/r config core.fsmonitor \"touch $1/ran\"; echo x > .cache/r/x", "", "", ".cache/r/x")]
    [InlineData("a link in a kept directory stays a link", "/.cache/", "mkdir .cache; ln -s $1 .cache/out", "", "", ".cache/out/precious.txt")]
    [InlineData("a link in place of a kept directory goes", "/.cache/", "ln -s $1 .cache", "untracked", ".cache", "")]
    [InlineData("so does one above it", "/a/b/", "mkdir a; ln -s $1 a/b", "untracked", "a/b", "")]
    [InlineData("and what is beside it", "/a/b/", "mkdir -p a/b a/c; echo x > a/b/x", "untracked", "a/c", "a/b/x")]
    [InlineData("a file is no directory", "/.cache/", "echo x > .cache", "untracked", ".cache", "")]
    [InlineData("the name elsewhere is not kept", "/.cache/", "mkdir -p src/.cache .cache; echo x > src/.cache/x; echo x > .cache/x", "untracked", "src/.cache", ".cache/x")]
    [InlineData("another case is not kept", "/.cache/", "mkdir .CACHE; echo x > .CACHE/x", "untracked", ".CACHE", "")]
    public async Task It_is_so(string rule, string pattern, string script, string found, string gone, string there)
    {
        foreach (bool automatic in new[] { true, false })
        {
            var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
            options.Keep.Add(pattern);
            var byGit = new CliGitBackend(options, TimeProvider.System);
            IGitBackend git = automatic ? new AutoGitBackend(byGit, options) : byGit;
            await git.TrustAsync(Token);
            SlotPlace slot = _repository.Place(automatic ? "slot-0" : "slot-1");
            slot = slot with { Admin = await git.RepairAsync(slot, _repository.Commit, RepairLevel.Rebuild, Token) };
            await _repository.ShellAsync(slot.Path, script, _repository.Outside);

            (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).Findings.Select(finding => finding.Id).Should().BeEquivalentTo(Words(found), rule);
            await git.RepairAsync(slot, _repository.Commit, RepairLevel.Reset, Token);

            (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty(rule);
            Words(gone).Should().NotContain(path => Path.Exists(Path.Combine(slot.Path, path)) || new FileInfo(Path.Combine(slot.Path, path)).LinkTarget != null, rule);
            Words(there).Should().NotContain(path => !Path.Exists(Path.Combine(slot.Path, path)), rule);
            Directory.EnumerateFileSystemEntries(_repository.Outside).Should().Equal([Path.Combine(_repository.Outside, "precious.txt")], rule);
        }
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
