using Microsoft.Extensions.Configuration;
using WorktreePool.Settings;

namespace WorktreePool.Hosting;

/// <summary>Reads a pool's options from a section, strictly and without reflection: an unknown name, or a value that is none, is an error that says where it stands.</summary>
internal sealed class PoolSettingsSection(IConfiguration configuration, string path)
{
    private const string Keeper = "keeper";

    /// <summary>Applies the section to the pool's options.</summary>
    /// <exception cref="PoolConfigurationException">A name or a value is wrong; the message names it, its source and the rule.</exception>
    public void Apply(WorktreePoolOptions options)
    {
        foreach (IConfigurationSection entry in configuration.GetSection(path).GetChildren())
        {
            if (string.Equals(entry.Key, Keeper, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            Set(entry, PoolSettingTable.All, options, [Keeper]);
            options.Sources[entry.Key] = SourceOf(entry);
        }
    }

    /// <summary>Applies the section's keeper to its options.</summary>
    /// <exception cref="PoolConfigurationException">As for the pool's.</exception>
    public void Apply(KeeperOptions options)
    {
        foreach (IConfigurationSection entry in configuration.GetSection(path).GetSection(Keeper).GetChildren())
        {
            Setting<KeeperOptions> set = Set(entry, KeeperSettingTable.All, options, []);
            if (set.WhyNot(options) is { } why)
            {
                throw new PoolConfigurationException($"{entry.Path} is {why.Value} (from {SourceOf(entry)}); {why.Rule}");
            }
        }
    }

    private Setting<T> Set<T>(IConfigurationSection entry, IReadOnlyList<Setting<T>> table, T options, IEnumerable<string> sections)
    {
        string from = $"(from {SourceOf(entry)})";
        Setting<T> setting = table.FirstOrDefault(known => string.Equals(known.Name, entry.Key, StringComparison.OrdinalIgnoreCase))
            ?? throw new PoolConfigurationException($"{entry.Path} {from} is no setting and would have no effect. Did you mean \"{Nearest.To(entry.Key, table.Select(known => known.Name).Concat(sections))}\"?");
        try
        {
            setting.Set(options, SectionText.Read(entry, setting.Form));
            return setting;
        }
        catch (FormatException e)
        {
            throw new PoolConfigurationException(setting.Form == SettingForm.Json ? $"{entry.Path} {from}: {e.Message}" : $"{entry.Path} is \"{entry.Value}\" {from}; {e.Message}");
        }
    }

    /// <summary>The provider that has the last word on a value, and which it is of several: a file by its name.</summary>
    private string SourceOf(IConfigurationSection entry)
    {
        IConfigurationSection leaf = entry;
        while (leaf.Value is null && leaf.GetChildren().FirstOrDefault() is { } child)
        {
            leaf = child;
        }

        return (configuration as IConfigurationRoot)?.Providers.LastOrDefault(provider => provider.TryGet(leaf.Path, out _))?.ToString() ?? "the configuration";
    }
}
