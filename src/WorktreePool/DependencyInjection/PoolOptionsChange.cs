using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using WorktreePool.Diagnostics;
using WorktreePool.Settings;

namespace WorktreePool.DependencyInjection;

/// <summary>What of changed settings counts while the pool is in use. What the pool and its slots are made of stays, and the log says so.</summary>
internal static partial class PoolOptionsChange
{
    /// <summary>The settings from now on: those before themselves when nothing of them changes.</summary>
    /// <param name="name">The pool's name.</param>
    /// <param name="before">The settings so far.</param>
    /// <param name="read">The settings as configured now.</param>
    /// <param name="validators">Check the mixture.</param>
    /// <param name="logger">Is told what changed, and what cannot.</param>
    /// <exception cref="PoolConfigurationException">What can change does not go with what cannot.</exception>
    public static WorktreePoolOptions Accept(string name, WorktreePoolOptions before, WorktreePoolOptions read, IEnumerable<IValidateOptions<WorktreePoolOptions>> validators, ILogger logger)
    {
        List<string> changed = [];
        WorktreePoolOptions next = before.With(new Dictionary<string, string>(before.Sources, StringComparer.OrdinalIgnoreCase));
        foreach (Setting<WorktreePoolOptions> setting in PoolSettingTable.All)
        {
            if (setting.Get(before) is var was && setting.Get(read) is var now && was == now)
            {
                continue;
            }

            string source = read.Sources.TryGetValue(setting.Name, out string? told) ? $" (from {told})" : "";
            string change = $"{setting.OptionName} from {Shown(was)} to {Shown(now)}{source}";
            if (!setting.Reloads)
            {
                PoolLog.SettingNeedsRestart(logger, name, change);
                continue;
            }

            setting.Copy(read, next);
            changed.Add(change);
            if (told is null)
            {
                next.Sources.Remove(setting.Name);
            }
            else
            {
                next.Sources[setting.Name] = told;
            }
        }

        if (changed.Count == 0)
        {
            return before;
        }

        if (validators.Select(validator => validator.Validate(name, next)).FirstOrDefault(result => result.Failed) is { } wrong)
        {
            throw new PoolConfigurationException($"{string.Join(' ', wrong.Failures ?? [])} Settings that need a restart were taken as they are in use.");
        }

        PoolLog.SettingsChanged(logger, name, string.Join(", ", changed));
        return next;
    }

    /// <summary>The same for the keeper, of which everything can change.</summary>
    public static KeeperOptions Accept(string name, KeeperOptions before, KeeperOptions read, ILogger logger)
    {
        string[] changed = [.. from setting in KeeperSettingTable.All
            let was = setting.Get(before)
            let now = setting.Get(read)
            where was != now
            select $"the keeper's {setting.OptionName} from {was} to {now}"];
        if (changed.Length == 0)
        {
            return before;
        }

        PoolLog.SettingsChanged(logger, name, string.Join(", ", changed));
        return read;
    }

    /// <summary>A URL without who is to log in.</summary>
    private static string Shown(string? value) => value is null ? "nothing" : Login().Replace(value, "//…@");

    [GeneratedRegex("//[^/@]*@")]
    private static partial Regex Login();
}
