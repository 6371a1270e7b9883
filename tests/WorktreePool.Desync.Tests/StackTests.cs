using System.Globalization;
using WorktreePool.Desync.Tests.Damage;
using WorktreePool.Desync.Tests.Fixture;

namespace WorktreePool.Desync.Tests;

/// <summary>
/// Two to four states on one slot, and none to two processes killed while they heal it, all drawn by a seed. <c>WORKTREE_POOL_STACKS=500 dotnet test tests/WorktreePool.Desync.Tests --filter StackTests</c> runs
/// as many; <c>WORKTREE_POOL_STACKS_SEED</c> is the first seed, and each stack has the next.
/// </summary>
public sealed class StackTests(Bench bench, ITestOutputHelper output) : IClassFixture<Bench>
{
    /// <summary>A keeper's pass that heals one slot has about so many crash points.</summary>
    private const int Points = 120;

    /// <summary>With fewer stacks, as when one is repeated, it is no wonder if none is ready or nothing was killed.</summary>
    private const int Enough = 40;

    /// <summary>Environment and owners are the whole process's, and keep patterns the whole pool's: those states are tested alone.</summary>
    private static readonly DamagedState[] Stackable = [.. Catalogue.All.Where(state => state is { NeedsRoot: false, Leaked.Count: 0, Keep.Count: 0 })];

    [Fact]
    public async Task A_claim_gives_the_slot_ready_or_says_why_not_and_harms_nobody()
    {
        int stacks = Setting("WORKTREE_POOL_STACKS", 40), first = Setting("WORKTREE_POOL_STACKS_SEED", 1), granted = 0, killed = 0;
        List<string> failures = [];
        for (int seed = first; seed < first + stacks; seed++)
        {
            (DamagedState[] states, int[] killAt) = Draw(seed);
            FixtureKind kind = states.Any(state => state.InSubmodule) ? FixtureKind.Submodule : seed % 2 == 0 ? FixtureKind.Standard : FixtureKind.Plain;
            string stack = $"seed {seed}: {string.Join(", ", states.Select(state => state.Id))} ({kind}){string.Concat(killAt.Select(point => $", killed at {point}"))}";
            var trial = new Trial(bench, kind, states) { KillAt = killAt };
            try
            {
                failures.AddRange((await trial.ClaimAsync()).Select(wrong => $"{stack}: {wrong}"));
            }
            catch (Exception e)
            {
                failures.Add($"{stack}: {e}");
            }

            granted += trial.Granted ? 1 : 0;
            killed += trial.Kills;
            output.WriteLine($"{stack}: {(trial.Granted ? "ready" : trial.Reason)}");
        }

        output.WriteLine($"{stacks} stacks, {granted} ready, {stacks - granted} set aside; {killed} processes killed while they healed");
        failures.Should().BeEmpty("a stack can be repeated with WORKTREE_POOL_STACKS=1 WORKTREE_POOL_STACKS_SEED=<its seed>");
        if (stacks < Enough)
        {
            return;
        }

        granted.Should().BeGreaterThanOrEqualTo(stacks * 4 / 5, "setting slots aside is the exception");
        killed.Should().BeGreaterThan(0, "only debug builds have crash points");
    }

    /// <summary>Stacks that went wrong once.</summary>
    [Theory]
    [InlineData("ref-shadow-branch base-ref-deleted")]
    [InlineData("alternates-hostile obj-zero-blob")]
    [InlineData("tracked-dir-symlink-out attributes-fifo")]
    public async Task A_claim_heals_both(string ids)
    {
        foreach (FixtureKind kind in new[] { FixtureKind.Standard, FixtureKind.Plain })
        {
            var trial = new Trial(bench, kind, [.. ids.Split(' ').Select(Catalogue.Find)]);
            (await trial.ClaimAsync()).Should().BeEmpty();
            trial.Reason.Should().BeNull();
        }
    }

    private static (DamagedState[] States, int[] KillAt) Draw(int seed)
    {
        var random = new Random(seed);
        DamagedState[] shuffled = [.. Stackable];
        random.Shuffle(shuffled);
        DamagedState[] states = shuffled[..random.Next(2, 5)];
        return (states, [.. Enumerable.Range(0, random.Next(3)).Select(_ => random.Next(1, Points))]);
    }

    private static int Setting(string name, int usual) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;
}
