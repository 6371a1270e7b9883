using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>A slot in which nothing lies is written without comparing anything; its directory is made ordinary like any other.</summary>
public sealed class EmptySlotTests : IAsyncLifetime
{
    private TestRepository _repository = null!;
    private CliGitBackend _git = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private SlotPlace Place => new("slot-0", Path.Combine(_repository.Pool, "slots", "slot-0"), null);

    private string Index => Path.Combine(_repository.Pool, "index");

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _git = new CliGitBackend(new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool }, TimeProvider.System);
        await _git.TrustAsync(Token);
        Directory.CreateDirectory(Path.GetDirectoryName(Place.Path)!);
    }

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("find . -mindepth 1 ! -name .git -delete", RepairLevel.Reset)]
    [InlineData("find . -mindepth 1 ! -name .git -delete; chmod 2777 .", RepairLevel.Reset)]
    [InlineData("find . -mindepth 1 ! -name .git -delete; chmod 2777 .", RepairLevel.Rebuild)]
    [InlineData("find . -mindepth 1 -delete; chmod 0 .", RepairLevel.Rebuild)]
    [InlineData("find . -mindepth 1 ! -name .git -delete; mkdir new", RepairLevel.Reset)]
    public async Task It_is_made_ready_without_an_index_of_the_pool(string damage, RepairLevel level)
    {
        SlotPlace place = Place with { Admin = await _git.RepairAsync(Place, _repository.Commit, RepairLevel.Recreate, Token) };
        await _repository.ShellAsync(place.Path, damage);
        Directory.Delete(Index, recursive: true);

        await _git.RepairAsync(place, _repository.Commit, level, Token);

        (await _git.ProbeAsync(place, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty();
    }
}
