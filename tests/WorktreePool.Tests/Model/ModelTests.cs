using System.Globalization;
using CsCheck;
using WorktreePool.Tests.Runtime;

namespace WorktreePool.Tests.Model;

/// <summary>
/// Random steps of several clients against a model: 10,000 for each store in the ordinary run. For an hour:
/// WORKTREE_POOL_MODEL_SECONDS=1800 dotnet test tests/WorktreePool.Tests --filter FullyQualifiedName~ModelTests
/// </summary>
public sealed class ModelTests
{
    private const int StepsOfOneRun = 100, Runs = 100;

    private static readonly Gen<Step[]> Steps =
        Gen.Select(Gen.Int[0, 13], Gen.Int[0, 2], Gen.Int[0, 4], Gen.Int[0, 5]).Select((kind, client, pick, option) => new Step(kind, client, pick, option)).Array[StepsOfOneRun];

    private static int Seconds => int.Parse(Environment.GetEnvironmentVariable("WORKTREE_POOL_MODEL_SECONDS") ?? "-1", CultureInfo.InvariantCulture);

    [Fact]
    public Task The_pool_does_what_the_model_says_with_the_store_in_memory() => SampleAsync(() => null);

    [Fact]
    public async Task The_pool_does_what_the_model_says_with_the_file_store()
    {
        DirectoryInfo root = MemoryDirectory.Create();
        try
        {
            await SampleAsync(() => Path.Combine(root.FullName, Guid.NewGuid().ToString("N")));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static Task SampleAsync(Func<string?> directory) => Steps.SampleAsync(
        async steps =>
        {
            await using var model = new PoolModel(new FakeMachine(directory()));
            foreach (Step step in steps)
            {
                await model.TakeAsync(step);
            }

            await model.EndAsync();
        },
        iter: Runs,
        time: Seconds);
}
