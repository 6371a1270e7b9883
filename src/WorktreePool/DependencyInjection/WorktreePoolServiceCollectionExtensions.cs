using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using WorktreePool.Runtime;

namespace WorktreePool.DependencyInjection;

/// <summary>Registers pools.</summary>
public static class WorktreePoolServiceCollectionExtensions
{
    /// <summary>
    /// Registers a pool: <see cref="IWorktreePool"/>, <see cref="IPoolOperator"/> and <see cref="IFleet"/>, keyed by <paramref name="name"/>. Choose a git
    /// backend and a store on the builder, for example <c>.UseGit().UseFileState()</c>. Settings are validated when the pool is first resolved.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The pool's name: service key and options name.</param>
    /// <param name="configure">Sets the settings.</param>
    public static WorktreePoolBuilder AddWorktreePool(this IServiceCollection services, string name, Action<WorktreePoolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<WorktreePoolOptions>(name).Configure(configure).PostConfigure(PoolOptionsAccess.MakeAbsolute);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<WorktreePoolOptions>, PoolOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IProcessTable, ProcessTable>();
        services.AddKeyedSingleton(name, (provider, _) => new PoolRuntime(new PoolContext(
            name,
            PoolOptionsAccess.Get(provider, name),
            provider.GetRequiredKeyedService<ISlotStateStore>(name),
            provider.GetRequiredKeyedService<IGitBackend>(name),
            provider.GetRequiredService<IProcessTable>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILoggerFactory>()?.CreateLogger("WorktreePool") ?? NullLogger.Instance)));
        services.AddKeyedSingleton<IWorktreePool>(name, (provider, _) => provider.GetRequiredKeyedService<PoolRuntime>(name));
        services.AddKeyedSingleton<IPoolOperator>(name, (provider, _) => provider.GetRequiredKeyedService<PoolRuntime>(name));
        services.AddKeyedSingleton<IFleet>(name, (provider, _) => provider.GetRequiredKeyedService<PoolRuntime>(name).Fleet);
        return new WorktreePoolBuilder(services, name);
    }
}
