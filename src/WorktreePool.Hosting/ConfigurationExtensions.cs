using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using WorktreePool.DependencyInjection;

namespace WorktreePool.Hosting;

/// <summary>Pools whose settings are configured.</summary>
public static class ConfigurationExtensions
{
    /// <summary>
    /// Registers a pool whose settings stand in a section of the configuration (appsettings.json, environment, …): the names of <see cref="WorktreePoolOptions"/> in any case; durations
    /// as <c>500ms</c>, <c>30s</c>, <c>10m</c>, <c>2h</c> or <c>hh:mm:ss</c>. In it, <c>Keeper</c> has the names of <see cref="KeeperOptions"/>. Read strictly and validated when the host
    /// starts: what is wrong ends the start, with its name, value, source and rule.
    /// </summary>
    /// <remarks>
    /// When the configuration is reloaded, changed settings count at once where they can (see <see cref="WorktreePoolOptions"/>); for the others the log says that they need a restart.
    /// A change that is wrong is logged as an error, and all settings stay as they were; an <see cref="IOptionsMonitor{TOptions}"/> of the options throws it into the reload too, as for any options.
    /// </remarks>
    /// <param name="services">The services.</param>
    /// <param name="name">The pool's name.</param>
    /// <param name="configuration">The whole configuration: by its providers the source of a value is known.</param>
    /// <param name="section">The section's path; null: <c>WorktreePool:</c> and the pool's name.</param>
    public static WorktreePoolBuilder AddWorktreePool(this IServiceCollection services, string name, IConfiguration configuration, string? section = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var settings = new PoolSettingsSection(configuration, section ?? $"WorktreePool:{name}");
        WorktreePoolBuilder builder = services.AddWorktreePool(name, settings.Apply);
        services.AddOptions<WorktreePoolOptions>(name).ValidateOnStart();
        services.AddOptions<KeeperOptions>(name).Configure(settings.Apply).ValidateOnStart();
        services.AddSingleton<IOptionsChangeTokenSource<WorktreePoolOptions>>(new ConfigurationChanges<WorktreePoolOptions>(name, configuration));
        services.AddSingleton<IOptionsChangeTokenSource<KeeperOptions>>(new ConfigurationChanges<KeeperOptions>(name, configuration));
        return builder;
    }
}
