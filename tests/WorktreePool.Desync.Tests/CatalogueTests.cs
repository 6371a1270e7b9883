using WorktreePool.Desync.Tests.Damage;
using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests;

/// <summary>A free slot in each state of the catalogue, where git compares (attributes change line ends): a claim gives it ready, and harms nobody.</summary>
public sealed class ClaimTests(Bench bench) : IClassFixture<Bench>
{
    public static TheoryData<string> States => [.. Catalogue.All.Where(state => state.Leaked.Count == 0).Select(state => state.Id)];

    [Theory, MemberData(nameof(States))]
    public Task A_claim_heals(string id) => Check.ClaimAsync(bench, id, FixtureKind.Standard);
}

/// <summary>A leased slot in each state, in a repository where slots are compared in process: its release leaves it ready, and the next claim gives it.</summary>
public sealed class ReleaseTests(Bench bench) : IClassFixture<Bench>
{
    public static TheoryData<string> States => ClaimTests.States;

    [Theory, MemberData(nameof(States))]
    public Task A_release_heals(string id) => Check.ReleaseAsync(bench, id, FixtureKind.Plain);
}

/// <summary>States that change the environment of this whole process: one at a time, and nothing beside them.</summary>
[Collection(nameof(ProcessWide))]
public sealed class LeakedEnvironmentTests(Bench bench) : IClassFixture<Bench>
{
    public static TheoryData<string> States => [.. Catalogue.All.Where(state => state.Leaked.Count > 0).Select(state => state.Id)];

    [Theory, MemberData(nameof(States))]
    public Task A_claim_heals(string id) => Check.ClaimAsync(bench, id, FixtureKind.Standard);

    [Theory, MemberData(nameof(States))]
    public Task A_release_heals(string id) => Check.ReleaseAsync(bench, id, FixtureKind.Plain);
}

/// <summary>The tests' own test: what is not damaged is not healed.</summary>
public sealed class UndamagedTests(Bench bench) : IClassFixture<Bench>
{
    [Theory, InlineData("Standard"), InlineData("Plain"), InlineData("Submodule")]
    public async Task Nothing_is_healed(string kind)
    {
        for (int time = 0; time < 2; time++)
        {
            var trial = new Trial(bench, Enum.Parse<FixtureKind>(kind));
            (await trial.ClaimAsync()).Should().BeEmpty();
            trial.Healed.Should().BeEmpty();
            trial.Reported.Should().BeEmpty();
        }
    }
}

[CollectionDefinition(nameof(ProcessWide), DisableParallelization = true)]
public sealed class ProcessWide;

internal static class Check
{
    /// <summary>
    /// A file rewritten with the bytes it had differs by its time, and git compares times by the second: whether a state that does so is seen
    /// as this too depends on when its second began. The files themselves are checked in any case.
    /// </summary>
    private static readonly string[] WhenRewritten = [FindingIds.TreeDiffers];

    public static async Task ClaimAsync(Bench bench, string id, FixtureKind kind)
    {
        Trial trial = Prepare(bench, id, kind);
        List<string> wrong = await trial.ClaimAsync();
        wrong.Should().BeEmpty();
        if (Environment.IsPrivilegedProcess)
        {
            // Whom the files belong to is part of what is found: the page tells what root sees.
            trial.Healed.Should().BeSubsetOf([.. DocumentedStates.All[id].Healed, .. WhenRewritten], "docs/desync.md says so");
            trial.Reported.Should().BeSubsetOf(DocumentedStates.All[id].Reported, "docs/desync.md says so");
        }
    }

    public static async Task ReleaseAsync(Bench bench, string id, FixtureKind kind) => (await Prepare(bench, id, kind).ReleaseAsync()).Should().BeEmpty();

    private static Trial Prepare(Bench bench, string id, FixtureKind kind)
    {
        DamagedState state = Catalogue.Find(id);
        Assert.SkipWhen(state.NeedsRoot && !Environment.IsPrivilegedProcess, $"{id} can be brought about by root only");
        return new Trial(bench, state.InSubmodule ? FixtureKind.Submodule : kind, state);
    }
}
