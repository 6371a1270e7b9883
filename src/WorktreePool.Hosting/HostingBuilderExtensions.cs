using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using WorktreePool.DependencyInjection;

namespace WorktreePool.Hosting;

/// <summary>What a host adds to a pool.</summary>
public static class HostingBuilderExtensions
{
    /// <summary>
    /// Keeps the pool while the host runs: free slots are healed and brought to the newest base ahead of claims, the dead are reclaimed, quarantined slots are retried,
    /// old rescues dropped. In how many processes it is added does not matter: one of them is the keeper at a time, see <see cref="IWorktreePool.KeepAsync"/>.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="configure">Sets how, after what is configured; null: as configured, else the defaults.</param>
    public static WorktreePoolBuilder AddKeeper(this WorktreePoolBuilder builder, Action<KeeperOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        string name = builder.Name;
        builder.Services.AddOptions<KeeperOptions>(name).Configure(configure ?? (_ => { })).ValidateOnStart();
        builder.Services.AddSingleton<IHostedService>(provider => new KeeperService(provider.GetRequiredKeyedService<IWorktreePool>(name)));
        return builder;
    }
}
