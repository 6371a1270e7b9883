using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.Process.Tests;

/// <summary>The README's example, so that it compiles. A test compares the two.</summary>
public static class ReadmeExample
{
    /// <summary>Shows a pool and a claim.</summary>
    /// <param name="services">Where the pool is registered.</param>
    /// <param name="provider">Made from the services.</param>
    public static async Task ShowAsync(IServiceCollection services, IServiceProvider provider)
    {
        #region README
        services.AddWorktreePool("agents", options =>
        {
            options.RepositoryPath = "/srv/app";
            options.PoolDirectory = "/srv/pools/app";
            options.Slots = 8;
            options.ClaimTimeout = TimeSpan.FromSeconds(30);
            options.HostTaskTimeout = TimeSpan.FromSeconds(180);
        }).UseGit().UseFileState();

        IWorktreePool pool = provider.GetRequiredKeyedService<IWorktreePool>("agents");
        await using SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-4683", Branch = "cr/mc-4683" });
        // work in lease.Path; stop when lease.LostToken is cancelled; disposing releases
        #endregion
    }
}
