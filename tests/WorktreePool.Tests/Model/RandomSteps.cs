using System.Globalization;
using CsCheck;
using WorktreePool.Tests.Runtime;

namespace WorktreePool.Tests.Model;

/// <summary>Runs of random steps against the model.</summary>
internal static class RandomSteps
{
    public const int OfOneRun = 100;

    private static readonly Gen<Step[]> Steps =
        Gen.Select(Gen.Int[0, 14], Gen.Int[0, 2], Gen.Int[0, 4], Gen.Int[0, 5]).Select((kind, client, pick, option) => new Step(kind, client, pick, option)).Array[OfOneRun];

    private static int Seconds => int.Parse(Environment.GetEnvironmentVariable("WORKTREE_POOL_MODEL_SECONDS") ?? "-1", CultureInfo.InvariantCulture);

    /// <summary>Takes so many runs, or as many as the environment's seconds allow.</summary>
    /// <param name="machine">A new machine with an empty pool, for each run.</param>
    /// <param name="runs">How many.</param>
    /// <param name="threads">How many at a time; -1: as many as the machine has processors.</param>
    public static Task SampleAsync(Func<FakeMachine> machine, int runs, int threads = -1) => Steps.SampleAsync(
        async steps =>
        {
            await using var model = new PoolModel(machine());
            foreach (Step step in steps)
            {
                await model.TakeAsync(step);
            }

            await model.EndAsync();
        },
        iter: runs,
        time: Seconds,
        threads: threads);
}
