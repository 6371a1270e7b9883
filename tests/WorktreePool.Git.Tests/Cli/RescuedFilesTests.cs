using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>Work in places where git does not look for it, or that git cannot hold.</summary>
public sealed class RescuedFilesTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 6, 3, 21, 0, 0, TimeSpan.Zero);

    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Fact]
    public async Task What_git_refuses_is_moved_aside_as_often_as_it_is_found()
    {
        (CliGitBackend git, SlotPlace slot) = await ProvisionAsync(_repository.Commit);
        List<string> asides = [];
        foreach (string script in new[] { "echo one > .GIT", "echo two > .GIT", "mkdir .GIT; echo three > .GIT/x", "mkdir .GIT; echo four > .GIT/x" })
        {
            await _repository.ShellAsync(slot.Path, script);
            asides.Add((await RescueAsync(git, slot, _repository.Commit)).Aside!);
            await git.RepairAsync(slot, _repository.Commit, RepairLevel.Reset, Token);
        }

        asides[1].Should().Be(asides[0], "the same names make the same rescue");
        string[] kept = (await _repository.ShellAsync(_repository.Root, "cat $(find \"$@\" -type f)", [.. asides.Distinct()])).Split('\n');
        kept.Should().BeEquivalentTo("one", "two", "three", "four");
    }

    [Theory]
    [InlineData("rm -r libs/sub; echo work > libs/sub", "libs/sub")]
    [InlineData("rm -r libs/sub; ln -s work libs/sub", "libs/sub")]
    [InlineData("rm -r libs; echo work > libs", "libs")]
    public async Task What_is_in_the_place_of_a_submodule_is_kept(string script, string path)
    {
        await _repository.ShellAsync(_repository.Main, """
            git init -q -b main ../sub; cd ../sub; echo s > s; git add s; git commit -qm s; cd -
            git -c protocol.file.allow=always submodule --quiet add ../sub libs/sub; git commit -qm sub
            """);
        string commit = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        (CliGitBackend git, SlotPlace slot) = await ProvisionAsync(commit);
        await _repository.ShellAsync(slot.Path, script);

        Rescue rescue = await RescueAsync(git, slot, commit);

        (await _repository.GitAsync(_repository.Main, "show", $"{rescue.Commit}:{path}")).Should().Be("work");
    }

    [Fact]
    public async Task A_tracked_directory_that_became_a_repository_is_kept_with_its_edits()
    {
        (CliGitBackend git, SlotPlace slot) = await ProvisionAsync(_repository.Commit);
        await _repository.ShellAsync(slot.Path, "git init -q src; echo work > src/app.cs; echo new > src/new.cs");

        Rescue rescue = await RescueAsync(git, slot, _repository.Commit);

        (await _repository.GitAsync(_repository.Main, "show", $"{rescue.Commit}:src/app.cs")).Should().Be("work");
        (await _repository.GitAsync(_repository.Main, "show", $"{rescue.Commit}:src/new.cs")).Should().Be("new");
    }

    private async Task<Rescue> RescueAsync(CliGitBackend git, SlotPlace slot, string commit) =>
        (await git.RescueAsync(slot, new RescueRequest("K", 1, null, commit, "release", At), Token))!;

    private async Task<(CliGitBackend Git, SlotPlace Slot)> ProvisionAsync(string commit)
    {
        var git = new CliGitBackend(new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool }, TimeProvider.System);
        await git.TrustAsync(Token);
        SlotPlace slot = _repository.Place("slot-0");
        return (git, slot with { Admin = await git.RepairAsync(slot, commit, RepairLevel.Rebuild, Token) });
    }
}
