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
    /// as <c>500ms</c>, <c>30s</c>, <c>10m</c>, <c>2h</c> or <c>hh:mm:ss</c>. Read strictly and validated when the host starts: what is wrong ends the start, with its name, value, source and rule.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The pool's name.</param>
    /// <param name="configuration">The whole configuration: by its providers the source of a value is known.</param>
    /// <param name="section">The section's path; null: <c>WorktreePool:</c> and the pool's name.</param>
    public static WorktreePoolBuilder AddWorktreePool(this IServiceCollection services, string name, IConfiguration configuration, string? section = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        WorktreePoolBuilder builder = services.AddWorktreePool(name, options => PoolSettingsSection.Apply(configuration, section ?? $"WorktreePool:{name}", options));
        services.AddOptions<WorktreePoolOptions>(name).ValidateOnStart();
        return builder;
    }
}
