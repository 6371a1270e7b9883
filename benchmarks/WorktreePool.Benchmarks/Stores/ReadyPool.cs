using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;

namespace WorktreePool.Benchmarks.Stores;

/// <summary>A pool over <see cref="ReadyGit"/>: only the state is real, and no process is looked for.</summary>
internal static class ReadyPool
{
    public static Task<PoolUnderTest> CreateAsync(string root, int slots, Action<WorktreePoolBuilder> useStore) => PoolUnderTest.CreateAsync(
        options =>
        {
            options.RepositoryPath = Path.Combine(root, "repo");
            options.PoolDirectory = Path.Combine(root, "pool");
            options.Slots = slots;
            options.ClaimTimeout = TimeSpan.FromMinutes(1);
        },
        builder =>
        {
            Directory.CreateDirectory(Path.Combine(root, "repo"));
            Directory.CreateDirectory(Path.Combine(root, "pool"));
            builder.Services.AddSingleton<IProcessTable, QuietMachine>();
            useStore(builder.UseBackend((_, _) => new ReadyGit()));
        });
}
