using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>
/// The pool's own indexes are not brought to the disk, for the files that they vouch for are not either. What a power loss leaves of one proves nothing: files that are right stay, every other one is found.
/// </summary>
public sealed class TornIndexTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 11, 27, 8, 0, 0, TimeSpan.Zero);

    private TestRepository _repository = null!;

    private static readonly string[] Losses = ["all of it", "its second half", "its last byte", "zeros", "its beginning, and zeros", "zeros in its midst", "zeros, and its end"];

    /// <summary>What is lost, and of whose index.</summary>
    public static MatrixTheoryData<string, string> All { get; } = new(Losses, ["the pool's", "the slot's", "both"]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [MemberData(nameof(All))]
    public Task By_git_alone_what_is_left_proves_nothing(string lost, string whose) => HealAsync(lost, whose, git => git);

    [Theory]
    [MemberData(nameof(All))]
    public Task In_process_what_is_left_proves_nothing(string lost, string whose) => HealAsync(lost, whose, git => new AutoGitBackend(git, Options));

    [Theory]
    [MemberData(nameof(All))]
    public async Task Work_is_kept_whatever_is_left(string lost, string whose)
    {
        await _repository.ShellAsync(_repository.Main, "echo tracked > kept.log; git add -f kept.log; git commit -qm ignored");
        string commit = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        var git = new CliGitBackend(Options, TimeProvider.System);
        SlotPlace place = await ProvisionAsync(git, commit);
        await TearAsync(place, commit, lost, whose);
        await _repository.ShellAsync(place.Path, "echo work > README.md; rm mixed.txt; echo new > new.txt");

        Rescue rescue = (await git.RescueAsync(place, new RescueRequest("K", 1, null, commit, "release", At), Token))!;

        (await _repository.GitAsync(_repository.Main, "diff-tree", "-r", "--name-status", commit, rescue.Commit)).Replace('\t', ' ').Split('\n')
            .Should().BeEquivalentTo(["M README.md", "D mixed.txt", "A new.txt"], lost);
    }

    private WorktreePoolOptions Options => new() { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };

    private async Task HealAsync(string lost, string whose, Func<CliGitBackend, IGitBackend> backendOf)
    {
        SlotPlace place = await ProvisionAsync(backendOf(new CliGitBackend(Options, TimeProvider.System)), _repository.Commit);
        string file = Path.Combine(place.Path, "README.md"), content = await File.ReadAllTextAsync(file, Token);
        string right = Path.Combine(place.Path, "src", "app.cs");
        DateTime touched = File.GetLastWriteTimeUtc(right);
        await File.WriteAllTextAsync(file, new string('x', content.Length), Token);
        await TearAsync(place, _repository.Commit, lost, whose);

        // Another process: this one would remember.
        IGitBackend after = backendOf(new CliGitBackend(Options, TimeProvider.System));
        (await after.ProbeAsync(place, new SlotTarget(_repository.Commit), Token)).IsReady.Should().BeFalse(lost);
        place = place with { Admin = await after.RepairAsync(place, _repository.Commit, RepairLevel.Rebuild, Token) };

        (await after.ProbeAsync(place, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty(lost);
        (await File.ReadAllTextAsync(file, Token)).Should().Be(content, lost);
        File.GetLastWriteTimeUtc(right).Should().Be(touched, lost);
    }

    private async Task<SlotPlace> ProvisionAsync(IGitBackend git, string commit)
    {
        await git.TrustAsync(Token);
        Directory.CreateDirectory(Path.Combine(_repository.Pool, "slots"));
        SlotPlace place = _repository.Place("slot-0");
        return place with { Admin = await git.RepairAsync(place, commit, RepairLevel.Rebuild, Token) };
    }

    private async Task TearAsync(SlotPlace place, string commit, string lost, string whose)
    {
        string pools = new TrustedIndex(_repository.Pool).Find("slot-0", commit)!, own = Path.Combine(_repository.AdminDirectory(place.Admin!), "index");
        foreach (string index in whose switch { "the pool's" => [pools], "the slot's" => [own], _ => new[] { pools, own } })
        {
            await File.WriteAllBytesAsync(index, Tear(await File.ReadAllBytesAsync(index, Token), lost), Token);
        }
    }

    private static byte[] Tear(byte[] index, string lost)
    {
        int half = index.Length / 2;
        return lost switch
        {
            "all of it" => [],
            "its second half" => index[..half],
            "its last byte" => index[..^1],
            "zeros" => new byte[index.Length],
            "its beginning, and zeros" => [.. index[..half], .. new byte[index.Length - half]],
            "zeros in its midst" => [.. index[..12], .. new byte[62], .. index[74..]],
            "zeros, and its end" => [.. new byte[half], .. index[half..]],
            _ => throw new ArgumentException(lost, nameof(lost)),
        };
    }
}
