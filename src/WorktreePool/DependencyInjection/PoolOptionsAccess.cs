using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.DependencyInjection;

/// <summary>The one way to a pool's options: validated, and with a failure that names the setting.</summary>
internal static class PoolOptionsAccess
{
    /// <summary>As they are now.</summary>
    /// <exception cref="PoolConfigurationException">A setting is wrong.</exception>
    public static WorktreePoolOptions Get(IServiceProvider provider, string name) =>
        provider.GetRequiredKeyedService<OptionsReload<WorktreePoolOptions>>(name).Options.Current;

    /// <summary>The current directory may change later; the pool's places may not. Links on the way are followed: one pool has one name for each place, whoever opens it.</summary>
    public static void MakeAbsolute(WorktreePoolOptions options)
    {
        options.RepositoryPath = Absolute(options.RepositoryPath) ?? "";
        options.PoolDirectory = Absolute(options.PoolDirectory) ?? "";
        options.SlotsDirectory = Absolute(options.SlotsDirectory) ?? Path.Combine(options.PoolDirectory, "slots");
    }

    private static string? Absolute(string? path) => string.IsNullOrEmpty(path) ? path : WithoutLinks(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), MostLinks);

    /// <summary>As many as Linux follows (path_resolution(7)); what is left then is an error of whoever opens it.</summary>
    private const int MostLinks = 40;

    private static string WithoutLinks(string path, int links)
    {
        if (Path.GetDirectoryName(path) is not { } parent)
        {
            return path;
        }

        string place = Path.Combine(WithoutLinks(parent, links), Path.GetFileName(path));
        return links > 0 && new DirectoryInfo(place).LinkTarget is { } target
            ? WithoutLinks(Path.TrimEndingDirectorySeparator(Path.GetFullPath(target, Path.GetDirectoryName(place)!)), links - 1)
            : place;
    }
}
