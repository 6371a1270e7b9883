using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace WorktreePool.DependencyInjection;

/// <summary>The one way to a pool's options: validated, and with a failure that names the setting.</summary>
internal static class PoolOptionsAccess
{
    public static WorktreePoolOptions Get(IServiceProvider provider, string name)
    {
        try
        {
            return provider.GetRequiredService<IOptionsMonitor<WorktreePoolOptions>>().Get(name);
        }
        catch (OptionsValidationException e)
        {
            throw new PoolConfigurationException(string.Join(Environment.NewLine, e.Failures));
        }
    }

    /// <summary>The current directory may change later; the pool's places may not.</summary>
    public static void MakeAbsolute(WorktreePoolOptions options)
    {
        options.RepositoryPath = Absolute(options.RepositoryPath) ?? "";
        options.PoolDirectory = Absolute(options.PoolDirectory) ?? "";
        options.SlotsDirectory = Absolute(options.SlotsDirectory) ?? Path.Combine(options.PoolDirectory, "slots");
    }

    private static string? Absolute(string? path) => string.IsNullOrEmpty(path) ? path : Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}
