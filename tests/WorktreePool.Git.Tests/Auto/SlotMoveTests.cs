using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Auto;

/// <summary>A slot that was ready and moves is known by what the move changed; and by everything as soon as anything else may have happened.</summary>
public sealed class SlotMoveTests : IAsyncLifetime
{
    private TestRepository _repository = null!;
    private AutoGitBackend _git = null!;
    private SlotPlace _place = null!;
    private string _from = "", _to = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        await _repository.ShellAsync(_repository.Main, "mkdir -p a b && echo one > a/changed && echo two > a/same && echo three > b/gone && ln -s same a/link && git add . && git commit -qm from");
        _from = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        await _repository.ShellAsync(_repository.Main, "echo other > a/changed && git rm -qr b && mkdir c && echo new > c/new && ln -sf changed a/link && git add . && git commit -qm to");
        _to = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
        _git = new AutoGitBackend(new CliGitBackend(options, TimeProvider.System), options);
        await _git.TrustAsync(Token);
        SlotPlace place = _repository.Place("slot-0");
        _place = place with { Admin = await _git.RepairAsync(place, _from, RepairLevel.Rebuild, Token) };
    }

    public async ValueTask DisposeAsync()
    {
        _git.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public async Task A_slot_that_has_moved_is_as_its_commit()
    {
        await MoveAsync();

        (await ProbeAsync(_from)).Should().BeEmpty();
        (await ProbeAsync(null)).Should().BeEmpty("everything is read again, and the same");
        (await File.ReadAllTextAsync(At("a/changed"), Token)).Should().Be("other\n");
        Directory.Exists(At("b")).Should().BeFalse();
        (await _repository.GitAsync(_place.Path, "status", "--porcelain", "--ignored")).Should().BeEmpty();
    }

    [Theory]
    [InlineData("echo edited > a/changed", FindingIds.TreeDiffers)]
    [InlineData("rm c/new", FindingIds.TreeDiffers)]
    [InlineData("rm c/new && mkdir c/new", FindingIds.TreeDiffers)]
    [InlineData("rm a/link && ln -s same a/link", FindingIds.TreeDiffers)]
    [InlineData("chmod u-w c/new", FindingIds.TreeDiffers)]
    [InlineData("ln c/new ../linked", FindingIds.TreeDiffers)]
    [InlineData("mkdir -p b && echo back > b/gone", FindingIds.Untracked)]
    [InlineData("git read-tree HEAD~", FindingIds.IndexDiffers)]
    [InlineData("git checkout -q -f HEAD~", FindingIds.WrongCommit)]
    public async Task What_is_not_as_the_move_left_it_is_found(string script, string finding)
    {
        await MoveAsync();

        await _repository.ShellAsync(_place.Path, script);

        (await ProbeAsync(_from)).Should().Contain(found => found.Id == finding);
    }

    [Fact]
    public async Task What_the_move_did_not_touch_was_seen_before_it_and_is_not_read_again()
    {
        await MoveAsync();
        await File.WriteAllTextAsync(At("a/same"), "edited", Token);

        (await ProbeAsync(_from)).Should().BeEmpty();
        (await ProbeAsync(null)).Should().ContainSingle(found => found.Id == FindingIds.TreeDiffers);
    }

    [Fact]
    public async Task Only_what_was_ready_when_it_moved_needs_no_second_look()
    {
        // Nobody has seen it ready at the commit that it comes from.
        await File.WriteAllTextAsync(At("stray"), "x", Token);
        (await ProbeAsync(null, _from)).Should().NotBeEmpty();
        await _git.RepairAsync(_place, _to, RepairLevel.Reset, Token);
        await File.WriteAllTextAsync(At("stray"), "y", Token);

        (await ProbeAsync(_from)).Should().ContainSingle(found => found.Id == FindingIds.Untracked);
    }

    [Theory]
    [InlineData("")]
    [InlineData("elsewhere")]
    public async Task Whoever_does_not_say_that_the_lock_was_held_has_everything_read(string movedFrom)
    {
        await MoveAsync();
        await File.WriteAllTextAsync(At("a/same"), "edited", Token);

        (await ProbeAsync(movedFrom.Length == 0 ? null : movedFrom)).Should().ContainSingle(found => found.Id == FindingIds.TreeDiffers);
        (await ProbeAsync(_from)).Should().ContainSingle(found => found.Id == FindingIds.TreeDiffers, "a move is looked at once");
    }

    [Theory]
    [InlineData("to")]
    [InlineData("from")]
    [InlineData("")]
    public async Task Wherever_it_was_said_to_go_next_it_goes_where_it_is_brought(string next)
    {
        string before = await _repository.FingerprintAsync(_place.Path, _repository.Common);
        string commit = next == "to" ? _to : next == "from" ? _from : new string('f', 40);
        (await _git.ProbeAsync(_place, new SlotTarget(_from) { Next = commit }, Token)).Findings.Should().BeEmpty();
        (await _repository.FingerprintAsync(_place.Path, _repository.Common)).Should().Be(before, "to read ahead changes nothing");

        await _git.RepairAsync(_place, _to, RepairLevel.Reset, Token);

        (await ProbeAsync(_from)).Should().BeEmpty();
        (await ProbeAsync(null)).Should().BeEmpty();
        (await _repository.GitAsync(_place.Path, "status", "--porcelain", "--ignored")).Should().BeEmpty();
        (await _repository.GitAsync(_place.Path, "rev-parse", "HEAD")).Should().Be(_to);
    }

    [Fact]
    public async Task A_slot_that_turns_out_to_have_work_in_it_is_reset_as_any_other()
    {
        await File.WriteAllTextAsync(At("a/same"), "edited", Token);
        (await _git.ProbeAsync(_place, new SlotTarget(_from) { Next = _to }, Token)).Findings.Should().NotBeEmpty();

        await _git.RepairAsync(_place, _to, RepairLevel.Reset, Token);

        (await ProbeAsync(_from)).Should().BeEmpty();
        (await File.ReadAllTextAsync(At("a/same"), Token)).Should().Be("two\n");
    }

    private async Task MoveAsync()
    {
        (await ProbeAsync(null, _from)).Should().BeEmpty();
        await _git.RepairAsync(_place, _to, RepairLevel.Reset, Token);
    }

    private async Task<IReadOnlyList<Finding>> ProbeAsync(string? movedFrom, string? commit = null) =>
        (await _git.ProbeAsync(_place, new SlotTarget(commit ?? _to) { MovedFrom = movedFrom }, Token)).Findings;

    private string At(string path) => Path.Combine(_place.Path, path);
}
