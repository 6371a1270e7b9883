using System.Diagnostics.CodeAnalysis;
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
    /// Names this machine in the records of all pools, instead of by its own name: for a container that gets a new name at every start while its slots
    /// stay, or for machines that were copied and are all called the same. All processes of the machine must give the same name.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="hostName">The name: unique in the fleet, the same at every start.</param>
    public static IServiceCollection NameWorktreePoolHost(this IServiceCollection services, string hostName)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(hostName);
        return services.Replace(ServiceDescriptor.Singleton<IProcessTable>(_ => new ProcessTable(hostName)));
    }

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
        services.TryAddSingleton<IProcessTable>(_ => new ProcessTable());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KeeperOptions>, KeeperOptionsValidator>());
        services.AddKeyedSingleton(name, (provider, _) => Reloaded<WorktreePoolOptions>(provider, name, (before, read) => PoolOptionsChange.Accept(
            name, before, read, provider.GetServices<IValidateOptions<WorktreePoolOptions>>(), Logger(provider))));
        services.AddKeyedSingleton(name, (provider, _) => Reloaded<KeeperOptions>(provider, name, (before, read) => PoolOptionsChange.Accept(name, before, read, Logger(provider))));
        services.AddKeyedSingleton(name, (provider, _) => new PoolRuntime(new PoolContext(
            name,
            provider.GetRequiredKeyedService<OptionsReload<WorktreePoolOptions>>(name).Options,
            provider.GetRequiredKeyedService<ISlotStateStore>(name),
            provider.GetRequiredKeyedService<IGitBackend>(name),
            provider.GetRequiredService<IProcessTable>(),
            provider.GetRequiredService<TimeProvider>(),
            Logger(provider))
        {
            KeeperSettings = provider.GetRequiredKeyedService<OptionsReload<KeeperOptions>>(name).Options,
            SetUp = FindSetUpRunner(provider, name),
        }));
        services.AddKeyedSingleton<IWorktreePool>(name, (provider, _) => provider.GetRequiredKeyedService<PoolRuntime>(name));
        services.AddKeyedSingleton<IPoolOperator>(name, (provider, _) => provider.GetRequiredKeyedService<PoolRuntime>(name));
        services.AddKeyedSingleton<IFleet>(name, (provider, _) => provider.GetRequiredKeyedService<PoolRuntime>(name).Fleet);
        return new WorktreePoolBuilder(services, name);
    }

    private static OptionsReload<T> Reloaded<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(IServiceProvider provider, string name, Func<T, T, T> accept) where T : class =>
        new(name, provider.GetRequiredService<IOptionsFactory<T>>(), provider.GetServices<IOptionsChangeTokenSource<T>>(), accept, Logger(provider));

    private static ILogger Logger(IServiceProvider provider) => provider.GetService<ILoggerFactory>()?.CreateLogger("WorktreePool") ?? NullLogger.Instance;

    private static ISetUpRunner? FindSetUpRunner(IServiceProvider provider, string name)
    {
        ISetUpRunner? runner = provider.GetKeyedService<ISetUpRunner>(name);
        return runner is null && PoolOptionsAccess.Get(provider, name) is { SetUp.Count: > 0 } or { Copy.Count: > 0 }
            ? throw new PoolConfigurationException($"Pool \"{name}\": SetUp or Copy is set, but nothing can carry it out. Choose a git backend of WorktreePool.Git, or give a runner with UseSetUpRunner.")
            : runner;
    }
}
