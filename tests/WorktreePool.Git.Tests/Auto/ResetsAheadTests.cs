using WorktreePool.Git.Auto;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Auto;

/// <summary>What was read ahead is used once, for the commit that it is of.</summary>
public sealed class ResetsAheadTests : IAsyncLifetime
{
    private readonly List<string> _planned = [];
    private readonly SemaphoreSlim _go = new(0), _begun = new(0), _made = new(0);
    private TestRepository _repository = null!;
    private ResetsAhead _ahead = null!;
    private SlotPlace _place = null!;
    private string _commit = "";
    private Func<bool> _isEnough = () => false;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _commit = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        _place = _repository.Place("slot-0");
        var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
        var trusted = new TrustedIndex(options.PoolDirectory);
        _ahead = new ResetsAhead((place, commit, isEnough, cancellation) =>
        {
            _isEnough = isEnough;
            _begun.Release();
            _go.Wait(cancellation);
            _planned.Add(commit);
            PlannedReset made = PlannedReset.Make(RepositoryLayout.Of(options), trusted, new VerifiedIndexes(trusted, TimeProvider.System), KeepPatterns.Of(options), place, commit, isEnough, cancellation);
            _made.Release();
            return made;
        });
    }

    public async ValueTask DisposeAsync()
    {
        _ahead.Dispose();
        _go.Dispose();
        _begun.Dispose();
        _made.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public async Task A_plan_is_given_once()
    {
        _ahead.Begin(_place, _commit, Token);
        ValueTask<PlannedReset?> taking = _ahead.TakeAsync("slot-0", _commit);
        taking.IsCompleted.Should().BeFalse("it is still being made");
        _go.Release();

        using PlannedReset? plan = await taking;

        plan!.Target.Entries.Should().NotBeEmpty();
        plan.Target.Contents.Should().BeEmpty("nobody has time for them");
        (await _ahead.TakeAsync("slot-0", _commit)).Should().BeNull();
        _planned.Should().Equal(_commit);
    }

    [Fact]
    public async Task Contents_are_read_until_the_plan_is_wanted_or_given_up()
    {
        _go.Release(2);
        _ahead.Begin(_place, _commit, Token);
        await _begun.WaitAsync(Token);
        await _made.WaitAsync(Token);
        _isEnough().Should().BeFalse();
        using (PlannedReset? plan = await _ahead.TakeAsync("slot-0", _commit))
        {
            _isEnough().Should().BeTrue();
            plan!.Target.Contents.Should().HaveCount(plan.Target.Entries.Count(entry => entry.Mode != IndexEntry.Link)).And.NotBeEmpty();
        }

        _ahead.Begin(_place, _commit, Token);
        await _begun.WaitAsync(Token);
        _ahead.Drop("slot-0");
        _isEnough().Should().BeTrue();
    }

    [Fact]
    public async Task A_plan_is_for_its_slot_and_its_commit()
    {
        _go.Release(2);
        _ahead.Begin(_place, _commit, Token);
        (await _ahead.TakeAsync("slot-1", _commit)).Should().BeNull();
        (await _ahead.TakeAsync("slot-0", new string('e', 40))).Should().BeNull();
        (await _ahead.TakeAsync("slot-0", _commit)).Should().BeNull("something else was asked of the slot");

        _ahead.Begin(_place, new string('f', 40), Token);
        (await _ahead.TakeAsync("slot-0", new string('f', 40))).Should().BeNull("there is no such commit");
    }

    [Fact]
    public async Task A_plan_that_is_cancelled_is_none()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        _ahead.Begin(_place, _commit, cancel.Token);
        await cancel.CancelAsync();

        (await _ahead.TakeAsync("slot-0", _commit)).Should().BeNull();
        _planned.Should().BeEmpty();
    }
}
