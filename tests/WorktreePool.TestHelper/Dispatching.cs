using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.TestHelper;

/// <summary>A dispatcher that does nothing but be one. ROOT holds repo and pool.</summary>
internal static class Dispatching
{
    /// <summary>Enters the gate, says so or why not, and stays until it is killed or its input ends.</summary>
    public static async Task<int> RunAsync(string root, string name)
    {
        var services = new ServiceCollection();
        services.AddWorktreePool("p", options => (options.RepositoryPath, options.PoolDirectory) = (Path.Combine(root, "repo"), Path.Combine(root, "pool"))).UseGit().UseFileState();
        await using ServiceProvider provider = services.BuildServiceProvider();
        DispatchAttempt attempt = await provider.GetRequiredKeyedService<IWorktreePool>("p").TryEnterDispatchAsync(name);
        Console.WriteLine(attempt.Gate is null ? attempt.Message : "entered");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
