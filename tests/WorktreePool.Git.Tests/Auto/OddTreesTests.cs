using System.Text;
using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Auto;

/// <summary>Trees that git reads and no longer writes: what an index makes of them is another tree, and yet all of it is there.</summary>
public sealed class OddTreesTests : IAsyncLifetime
{
    private TestRepository _repository = null!;
    private WorktreePoolOptions _options = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
    }

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("a mode of before 2005", "100664 file\0{blob}40000 sub\0{tree}")]
    [InlineData("a mode with a zero before it", "100644 file\0{blob}040000 sub\0{tree}")]
    [InlineData("a directory without files", "40000 empty\0{empty}100644 file\0{blob}40000 sub\0{tree}")]
    public async Task A_slot_is_ready_at_such_a_commit_and_moves_there_and_back(string kind, string content)
    {
        string odd = await CommitAsync(content), plain = _repository.Commit;
        var git = new CliGitBackend(_options, TimeProvider.System);
        using var auto = new AutoGitBackend(git, _options);
        await auto.TrustAsync(Token);
        SlotPlace place = _repository.Place("slot-0");
        place = place with { Admin = await auto.RepairAsync(place, odd, RepairLevel.Rebuild, Token) };
        foreach (string commit in new[] { odd, plain, odd })
        {
            await auto.RepairAsync(place, commit, RepairLevel.Reset, Token);

            (await auto.ProbeAsync(place, new SlotTarget(commit), Token)).Findings.Should().BeEmpty(kind);
            (await git.ProbeAsync(place, new SlotTarget(commit), Token)).Findings.Should().BeEmpty(kind);
            (await _repository.GitAsync(place.Path, "status", "--porcelain", "--ignored")).Should().BeEmpty(kind);
        }

        foreach (string damage in new[] { "echo changed > file", "git rm -q --cached file", "echo new > new && git add new", "rm sub/inner" })
        {
            await _repository.ShellAsync(place.Path, damage);
            (await auto.ProbeAsync(place, new SlotTarget(odd), Token)).Findings.Should().NotBeEmpty("{0}: {1}", kind, damage);
            await auto.RepairAsync(place, odd, RepairLevel.Reset, Token);
            (await auto.ProbeAsync(place, new SlotTarget(odd), Token)).Findings.Should().BeEmpty("{0}: {1}", kind, damage);
        }
    }

    [Theory]
    [InlineData("100644 file\0{blob}040000 sub\0{tree}")]
    [InlineData("100644 sub\0{blob}100644 file\0{blob}")]
    [InlineData("100644 .git\0{blob}")]
    [InlineData("100644 caf\u00e9\0{blob}")]
    public async Task LibGit2Sharp_alone_refuses_what_it_would_read_otherwise_and_changes_nothing(string content)
    {
        string odd = await CommitAsync(content);
        var git = new CliGitBackend(_options, TimeProvider.System);
        using var alone = new LibGit2Backend(git, _options);
        await alone.TrustAsync(Token);
        SlotPlace place = _repository.Place("slot-0");
        place = place with { Admin = await alone.RepairAsync(place, _repository.Commit, RepairLevel.Rebuild, Token) };

        Func<Task> repair = async () => await alone.RepairAsync(place, odd, RepairLevel.Reset, Token);

        (await repair.Should().ThrowAsync<GitBackendException>()).WithMessage("*Nothing was changed*");
        (await alone.ProbeAsync(place, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty();
    }

    /// <summary>A commit of a tree that is made byte by byte, one byte for each character.</summary>
    private async Task<string> CommitAsync(string content)
    {
        await _repository.ShellAsync(_repository.Main, "mkdir sub && echo inner > sub/inner && git add sub");
        string sub = await _repository.GitAsync(_repository.Main, "rev-parse", (await _repository.GitAsync(_repository.Main, "write-tree")) + ":sub");
        string blob = await _repository.GitAsync(_repository.Main, "rev-parse", ":sub/inner"), empty = await _repository.ShellAsync(_repository.Main, "git hash-object -t tree -w /dev/null");
        foreach ((string name, string id) in new[] { ("{blob}", blob), ("{tree}", sub), ("{empty}", empty) })
        {
            content = content.Replace(name, Encoding.Latin1.GetString(Convert.FromHexString(id)), StringComparison.Ordinal);
        }

        string file = Path.Combine(_repository.Root, "tree");
        await File.WriteAllBytesAsync(file, Encoding.Latin1.GetBytes(content), Token);
        return await _repository.ShellAsync(_repository.Main, "git commit-tree -m odd $(git hash-object -t tree -w --literally \"$1\")", file);
    }
}
