using WorktreePool.Tests.Runtime;

namespace WorktreePool.Tests.Model;

/// <summary>
/// Random steps of several clients against a model: 10,000 for each store in the ordinary run. For an hour:
/// WORKTREE_POOL_MODEL_SECONDS=1800 dotnet test tests/WorktreePool.Tests --filter FullyQualifiedName~ModelTests
/// </summary>
public sealed class ModelTests
{
    private const int Runs = 100;

    [Fact]
    public Task The_pool_does_what_the_model_says_with_the_store_in_memory() => RandomSteps.SampleAsync(() => new FakeMachine(), Runs);

    [Fact]
    public async Task The_pool_does_what_the_model_says_with_the_file_store()
    {
        DirectoryInfo root = MemoryDirectory.Create();
        try
        {
            await RandomSteps.SampleAsync(() => new FakeMachine(Path.Combine(root.FullName, Guid.NewGuid().ToString("N"))), Runs);
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}
