using WorktreePool.Desync.Tests.Damage;
using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests;

/// <summary>
/// The states of a repository that its slots share, in one of the pool's own, while a sibling is leased: a claim gives the slot ready, puts the repository
/// back to what it was, and touches neither the sibling nor the user's clone. The ordinary run takes every third state; WORKTREE_POOL_ISOLATED_ALL=1
/// all, and those that are a slot's own.
/// </summary>
public sealed class IsolatedTests(IsolatedBench bench) : IClassFixture<IsolatedBench>
{
    /// <summary>Of a repository of a worktree's own, and of others' work, which stay as they are.</summary>
    private static readonly string[] Added = ["base-ref-symref", "rr-cache-poison", "cfg-promisor-poison", "cfg-gc-now"];

    /// <summary>See <see cref="A_repository_that_became_a_link_is_refused"/>.</summary>
    private const string Moved = "repo-moved";

    private static bool All => Environment.GetEnvironmentVariable("WORKTREE_POOL_ISOLATED_ALL") == "1";

    public static TheoryData<string> States => [.. Sample([
        .. HeadsAndRefs.States, .. StaleLocks.States, .. ConfigAndHooks.States.Where(state => state.Leaked.Count == 0), .. Additions.States.Where(state => Added.Contains(state.Id))])];

    public static TheoryData<string> SlotsOwn => [.. (All ? Catalogue.All : []).Where(state => state is { Leaked.Count: 0, InSubmodule: false } && state.Id != Moved && !States.Any(row => row.Data == state.Id) && !ObjectStore.States.Contains(state)).Select(state => state.Id)];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(SlotsOwn))]
    public async Task A_claim_heals_a_slot(string id)
    {
        DamagedState state = Catalogue.Find(id);
        Assert.SkipWhen(state.NeedsRoot && !Environment.IsPrivilegedProcess, $"{id} can be brought about by root only");
        (await new Trial(bench, FixtureKind.Plain, state).ClaimAsync()).Should().BeEmpty();
    }

    /// <summary>What siblings have made is there, and what else is there may be anybody's.</summary>
    [Fact]
    public async Task A_repository_that_became_a_link_is_refused()
    {
        var trial = new Trial(bench, FixtureKind.Plain, Catalogue.Find(Moved) with { MayQuarantine = true });

        (await trial.ClaimAsync()).Should().BeEmpty();

        trial.Reason.Should().Contain("is a link to").And.Contain("Move the repository itself back");
    }

    [Theory, MemberData(nameof(States))]
    public Task A_claim_puts_the_repository_back(string id) => IsolatedCheck.ClaimAsync(bench, id);

    /// <summary>What a release leaves is what the next holder finds.</summary>
    [Theory]
    [InlineData("leftover-branches-tags")]
    [InlineData("stash-left")]
    [InlineData("cfg-hookspath")]
    [InlineData("replace-ref-commit")]
    public async Task A_release_puts_the_repository_back(string id) => (await new Trial(bench, FixtureKind.Plain, Catalogue.Find(id)).ReleaseAsync()).Should().BeEmpty();

    internal static IEnumerable<string> Sample(IReadOnlyList<DamagedState> states) =>
        states.Where((_, at) => at % 3 == 0 || All).Select(state => state.Id);
}

/// <summary>Objects that are lost in a repository which has them itself.</summary>
public sealed class IsolatedObjectTests(RemoteBench bench) : IClassFixture<RemoteBench>
{
    public static TheoryData<string> States => [.. IsolatedTests.Sample(ObjectStore.States)];

    [Theory, MemberData(nameof(States))]
    public Task A_claim_puts_the_repository_back(string id) => IsolatedCheck.ClaimAsync(bench, id);
}

internal static class IsolatedCheck
{
    public static async Task ClaimAsync(Bench bench, string id)
    {
        var trial = new Trial(bench, FixtureKind.Plain, Catalogue.Find(id));
        (await trial.ClaimAsync()).Should().BeEmpty();

        // That the remote has renamed a branch is no residue, and only a fetch of the holder's own needs it pruned. What a damaged pack held beside is a person's to look for.
        string[] told = id switch { "upstream-df-conflict" or "upstream-base-deleted" => [FindingIds.RefsDrift], "obj-corrupt-pack" => [FindingIds.RepositoryResidue], _ => [] };
        trial.Reported.Should().BeSubsetOf(told, "nothing else is left to report");
    }
}
