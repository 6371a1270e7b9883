using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>Something mounted in a slot is found, even where it looks as what it covers; the slot is made anew beside it, and nothing in it changes.</summary>
public sealed class MountTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 6, 3, 21, 0, 0, TimeSpan.Zero);

    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await _repository.ShellAsync("/", "cut -d' ' -f5 /proc/self/mountinfo | grep \"^$1/\" | sort -r | while read -r m; do umount -l -- \"$(printf %b \"$m\")\"; done", _repository.Root);
        await _repository.DisposeAsync();
    }

    [Theory]
    [InlineData("cp .git $outside/m; mount --bind $outside/m .git", true)]
    [InlineData("mount --bind src src", true)]
    [InlineData("mount --bind src src", false)]
    [InlineData("mount --bind README.md README.md", false)]
    [InlineData("mkdir -p kept/x; mount --bind kept/x kept/x; mkdir other; mount --bind other other", false)]
    public async Task It_is_found_and_the_slot_made_anew_beside_it(string script, bool byGit)
    {
        (IGitBackend git, SlotPlace slot) = await ProvisionAsync(byGit);
        await MountAsync(slot, script + "; echo precious > $outside/p");
        string outside = await _repository.FingerprintAsync(_repository.Outside);

        (await ProbeAsync(git, slot)).Should().Contain(FindingIds.MountInside);
        foreach (RepairLevel level in new[] { RepairLevel.Reset, RepairLevel.Rebuild })
        {
            Func<Task> repair = async () => await git.RepairAsync(slot, _repository.Commit, level, Token);
            (await repair.Should().ThrowAsync<GitBackendException>()).WithMessage("*mount*");
        }

        await git.RepairAsync(slot, _repository.Commit, RepairLevel.Recreate, Token);

        (await ProbeAsync(git, slot)).Should().BeEmpty();
        (await _repository.FingerprintAsync(_repository.Outside)).Should().Be(outside);
        (await git.InspectAsync(Token)).Findings.Should().ContainSingle(finding => finding.Id == FindingIds.RepositoryResidue).Which.Detail.Should().Contain(".slot-0-mounted-");
    }

    [Fact]
    public async Task What_it_covers_is_not_removed_when_it_has_gone()
    {
        (IGitBackend git, SlotPlace slot) = await ProvisionAsync(byGit: true);
        await MountAsync(slot, "echo work > src/work.txt; mount --bind $outside src");
        await git.RepairAsync(slot, _repository.Commit, RepairLevel.Recreate, Token);
        string aside = Directory.EnumerateDirectories(Path.GetDirectoryName(slot.Path)!, ".slot-0-mounted-*").Should().ContainSingle().Subject;

        await _repository.ShellAsync(aside, "umount src");
        await git.EvictAsync(slot, Token);

        (await File.ReadAllTextAsync(Path.Combine(aside, "src", "work.txt"), Token)).Should().Be("work\n");
    }

    [Fact]
    public async Task What_is_in_it_is_nobody_s_work_here()
    {
        (IGitBackend git, SlotPlace slot) = await ProvisionAsync(byGit: true);
        await MountAsync(slot, "mkdir 'm[1]'; mkdir $outside/repo; git init -q $outside/repo; truncate -s 100G $outside/large; mount --bind $outside 'm[1]'; mount --bind $outside src; echo work > work.txt");

        Rescue rescue = (await git.RescueAsync(slot, Request, Token))!;

        rescue.Files.Should().Be(1);
        (await _repository.GitAsync(_repository.Main, "ls-tree", "-r", "--name-only", rescue.Commit)).Should().Contain("work.txt").And.Contain("src/app.cs").And.NotContain("large");
    }

    [Fact]
    public async Task A_pipe_in_it_is_neither_opened_nor_removed()
    {
        (IGitBackend git, SlotPlace slot) = await ProvisionAsync(byGit: true);
        await MountAsync(slot, "mkfifo $outside/.gitattributes; mount --bind $outside src; echo work > work.txt");

        Func<Task> rescue = async () => await git.RescueAsync(slot, Request, Token);

        (await rescue.Should().ThrowAsync<GitBackendException>()).WithMessage("*.gitattributes*mount*Unmount it*");
        (await _repository.ShellAsync(_repository.Outside, "test -p .gitattributes && echo there")).Should().Be("there");
    }

    [Fact]
    public async Task One_that_a_keep_pattern_names_is_left_alone()
    {
        (IGitBackend git, SlotPlace slot) = await ProvisionAsync(byGit: false);
        await MountAsync(slot, "mkdir -p kept/x; mount --bind $outside kept/x");

        (await ProbeAsync(git, slot)).Should().BeEmpty();
    }

    private RescueRequest Request => new("K", 1, null, _repository.Commit, "release", At);

    private async Task<string[]> ProbeAsync(IGitBackend git, SlotPlace slot) =>
        [.. (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).Findings.Select(finding => finding.Id)];

    private async Task MountAsync(SlotPlace slot, string script)
    {
        string wrong = await _repository.ShellAsync(slot.Path, $"outside=$1; ({script}) 2>&1 || echo FAILED", _repository.Outside);
        Assert.SkipWhen(wrong.Contains("FAILED", StringComparison.Ordinal), $"nothing can be mounted here: {wrong}");
    }

    /// <summary>A path with a space is written otherwise in the table of mounts.</summary>
    private async Task<(IGitBackend Git, SlotPlace Slot)> ProvisionAsync(bool byGit)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root mounts");
        var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = Path.Combine(_repository.Root, "a pool"), Keep = { "kept/" } };
        var plain = new CliGitBackend(options, TimeProvider.System);
        IGitBackend git = byGit ? plain : new AutoGitBackend(plain, options);
        await git.TrustAsync(Token);
        var slot = new SlotPlace("slot-0", Path.Combine(options.PoolDirectory, "slots", "slot-0"), null);
        return (git, slot with { Admin = await git.RepairAsync(slot, _repository.Commit, RepairLevel.Rebuild, Token) });
    }
}
