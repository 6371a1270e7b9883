using WorktreePool.Git.Cli;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>
/// A slot is cleaned as soon as its work is kept, so what keeps the work must be on the disk by then. Git brings packs there, and single objects only within half a minute: what a power loss
/// leaves of those is an empty file.
/// </summary>
public sealed class RescueDurabilityTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 11, 27, 8, 0, 0, TimeSpan.Zero);

    private TestRepository _repository = null!;
    private CliGitBackend _git = null!;
    private SlotPlace _slot = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _git = new CliGitBackend(new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool }, TimeProvider.System);
        await _git.TrustAsync(Token);
        Directory.CreateDirectory(Path.Combine(_repository.Pool, "slots"));
        _slot = _repository.Place("slot-0");
        _slot = _slot with { Admin = await _git.RepairAsync(_slot, _repository.Commit, RepairLevel.Rebuild, Token) };
    }

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("echo work > README.md; echo new > new.txt")]
    [InlineData("echo work > README.md; git add README.md; echo more > README.md; echo new > new.txt")]
    [InlineData("echo work > README.md; git commit -qam one; echo new > new.txt; git add new.txt; git commit -qm two")]
    [InlineData("git init -q inner; cd inner; echo new > new.txt; git add .; git commit -qm inner; cd ..; echo work > README.md")]
    public async Task Work_survives_a_power_loss_right_after_its_rescue(string work)
    {
        HashSet<string> before = [.. LooseFiles()];
        await _repository.ShellAsync(_slot.Path, work);
        string commit = (await RescueAsync()).Commit;
        string[] kept = await ListAsync(commit);

        LosePower(before, _ => []);

        kept.Should().NotBeEmpty();
        (await TryRescueAsync())?.Commit.Should().Be(commit, "the same work is the same rescue");
        await _git.RepairAsync(_slot, _repository.Commit, RepairLevel.Reset, Token);
        Rescue rescue = (await _git.Rescues.ListAsync(Token)).Single();
        rescue.Commit.Should().Be(commit);
        (await ListAsync(commit)).Should().Equal(kept);
        (await _repository.GitAsync(_repository.Main, "show", $"{rescue.Commit}:README.md")).Should().BeOneOf("work", "more");
    }

    [Theory]
    [InlineData("emptied")]
    [InlineData("zeros")]
    [InlineData("cut off")]
    [InlineData("zeros at the end")]
    public async Task What_an_interrupted_rescue_left_is_not_taken_for_kept(string how)
    {
        HashSet<string> before = [.. LooseFiles()];
        await _repository.ShellAsync(_slot.Path, "echo work > README.md; mkdir new; echo new > new/new.txt; head -c 5000 /dev/urandom > new/large");
        Rescue interrupted = await RescueAsync();
        string large = await _repository.GitAsync(_repository.Main, "rev-parse", $"{interrupted.Commit}:new/large");
        await _repository.GitAsync(_repository.Common, "update-ref", "-d", interrupted.Ref);
        foreach (string pack in Directory.GetFiles(Path.Combine(_repository.Common, "objects", "pack")))
        {
            File.Delete(pack);
        }

        LosePower(before, content => how switch
        {
            "emptied" => [],
            "zeros" => new byte[content.Length],
            "cut off" => content[..(content.Length / 2)],
            _ => [.. content[..(content.Length / 2)], .. new byte[content.Length - (content.Length / 2)]],
        });
        Rescue rescue = await RescueAsync();

        (await _repository.GitAsync(_repository.Main, "show", $"{rescue.Commit}:README.md")).Should().Be("work");
        (await _repository.GitAsync(_repository.Main, "show", $"{rescue.Commit}:new/new.txt")).Should().Be("new");
        (await _repository.GitAsync(_repository.Main, "rev-parse", $"{rescue.Commit}:new/large")).Should().Be(large);
        await _repository.GitAsync(_repository.Main, "fsck", "--no-dangling", "--no-progress");
        (await _git.InspectAsync(Token)).Findings.Any(finding => finding.Detail.Contains("set aside", StringComparison.Ordinal)).Should().Be(how != "emptied", "an empty file holds nothing to look at");
    }

    [Fact]
    public async Task Work_on_a_history_that_is_damaged_survives_it_too()
    {
        await _repository.ShellAsync(_slot.Path, "echo lost > lost.txt; git add .; git commit -qm one; git rm -q lost.txt; git commit -qm two; rm -f \"$(git rev-parse --git-path objects/$(git rev-parse HEAD~1:lost.txt | sed 's,..,&/,'))\"");
        HashSet<string> before = [.. LooseFiles()];
        await _repository.ShellAsync(_slot.Path, "echo staged > staged.txt; git add staged.txt; rm staged.txt; echo work > README.md");
        string commit = (await RescueAsync()).Commit;

        LosePower(before, _ => []);

        (await _repository.GitAsync(_repository.Main, "show", $"{commit}:README.md")).Should().Be("work");
        (await _repository.GitAsync(_repository.Main, "show", $"{commit}^2:staged.txt")).Should().Be("staged");
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000000000000000000000000000000000000\n")]
    public async Task A_rescue_whose_ref_was_lost_half_way_is_made_again(string left)
    {
        await _repository.ShellAsync(_slot.Path, "echo work > README.md");
        Rescue before = await RescueAsync();
        await File.WriteAllTextAsync(Path.Combine(_repository.Common, before.Ref), left, Token);

        Rescue rescue = await RescueAsync();

        rescue.Should().Be(before);
        (await _repository.GitAsync(_repository.Main, "show", $"{before.Ref}:README.md")).Should().Be("work");
    }

    private async Task<Rescue> RescueAsync() => (await TryRescueAsync())!;

    private async Task<Rescue?> TryRescueAsync() => await _git.RescueAsync(_slot, new RescueRequest("K", 1, null, _repository.Commit, "release", At), Token);

    private async Task<string[]> ListAsync(string commit) =>
        (await _repository.GitAsync(_repository.Main, "rev-list", "--objects", "--no-object-names", commit, "--not", _repository.Commit)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private IEnumerable<string> LooseFiles() => ObjectWitness.Loose(Path.Combine(_repository.Common, "objects")).Select(pair => pair.File);

    private void LosePower(HashSet<string> onTheDisk, Func<byte[], byte[]> left)
    {
        foreach (string file in LooseFiles().Except(onTheDisk).ToList())
        {
            File.SetAttributes(file, FileAttributes.Normal);
            File.WriteAllBytes(file, left(File.ReadAllBytes(file)));
        }
    }
}
