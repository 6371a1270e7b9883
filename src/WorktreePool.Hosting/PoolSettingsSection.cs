using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace WorktreePool.Hosting;

/// <summary>Reads a pool's options from a section, strictly and without reflection: an unknown name, or a value that is none, is an error that says where it stands.</summary>
internal static class PoolSettingsSection
{
    private static readonly (string Unit, double Milliseconds)[] Units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

    /// <summary>Every option that a configuration may set. Set-up steps run commands and are set in code only.</summary>
    public static readonly IReadOnlyDictionary<string, Action<WorktreePoolOptions, IConfigurationSection>> Names =
        new Dictionary<string, Action<WorktreePoolOptions, IConfigurationSection>>(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(WorktreePoolOptions.RepositoryPath)] = (o, s) => o.RepositoryPath = Text(s),
            [nameof(WorktreePoolOptions.Isolated)] = (o, s) => o.Isolated = Word(s, ("true", true), ("false", false)),
            [nameof(WorktreePoolOptions.Remote)] = (o, s) => o.Remote = Text(s),
            [nameof(WorktreePoolOptions.PoolDirectory)] = (o, s) => o.PoolDirectory = Text(s),
            [nameof(WorktreePoolOptions.SlotsDirectory)] = (o, s) => o.SlotsDirectory = Text(s),
            [nameof(WorktreePoolOptions.Slots)] = (o, s) => o.Slots = (int)Number(s, int.MaxValue),
            [nameof(WorktreePoolOptions.Base)] = (o, s) => o.Base = Text(s),
            [nameof(WorktreePoolOptions.ClaimTimeout)] = (o, s) => o.ClaimTimeout = Time(s),
            [nameof(WorktreePoolOptions.BatchParallelism)] = (o, s) => o.BatchParallelism = (int)Number(s, int.MaxValue),
            [nameof(WorktreePoolOptions.ReleaseTimeout)] = (o, s) => o.ReleaseTimeout = Time(s),
            [nameof(WorktreePoolOptions.HostTaskTimeout)] = (o, s) => o.HostTaskTimeout = Time(s),
            [nameof(WorktreePoolOptions.LeaseDuration)] = (o, s) => o.LeaseDuration = Time(s),
            [nameof(WorktreePoolOptions.ReleaseMode)] = (o, s) => o.ReleaseMode = Word(s, ("rescue", ReleaseMode.Rescue), ("discard", ReleaseMode.Discard)),
            [nameof(WorktreePoolOptions.LeftoverProcesses)] = (o, s) => o.LeftoverProcesses = Word(s, ("kill", LeftoverPolicy.Kill), ("wait", LeftoverPolicy.Wait), ("fail", LeftoverPolicy.Fail)),
            [nameof(WorktreePoolOptions.RescueLimit)] = (o, s) => o.RescueLimit = Number(s, long.MaxValue),
            [nameof(WorktreePoolOptions.RescueRetention)] = (o, s) => o.RescueRetention = Time(s),
            [nameof(WorktreePoolOptions.RescueCount)] = (o, s) => o.RescueCount = (int)Number(s, int.MaxValue),
            [nameof(WorktreePoolOptions.QuarantineBackoff)] = (o, s) => o.QuarantineBackoff = Time(s),
            [nameof(WorktreePoolOptions.WatchSlots)] = (o, s) => o.WatchSlots = Word(s, ("true", true), ("false", false)),
            [nameof(WorktreePoolOptions.Keep)] = (o, s) => Fill(o.Keep, s),
            [nameof(WorktreePoolOptions.Sparse)] = (o, s) => Fill(o.Sparse, s),
            [nameof(WorktreePoolOptions.Copy)] = (o, s) => Fill(o.Copy, s),
        };

    /// <summary>Applies the section.</summary>
    /// <exception cref="PoolConfigurationException">A name or a value is wrong; the message names it, its source and the rule.</exception>
    public static void Apply(IConfiguration configuration, string path, WorktreePoolOptions options)
    {
        foreach (IConfigurationSection entry in configuration.GetSection(path).GetChildren())
        {
            string where = $"{entry.Path} in {SourceOf(configuration, entry)}";
            if (!Names.TryGetValue(entry.Key, out Action<WorktreePoolOptions, IConfigurationSection>? set))
            {
                throw new PoolConfigurationException($"{where} is no setting and would have no effect. Did you mean {Nearest(entry.Key)}?");
            }

            try
            {
                set(options, entry);
            }
            catch (FormatException e)
            {
                throw new PoolConfigurationException($"{where} is \"{entry.Value}\"; {e.Message}");
            }
        }
    }

    /// <summary>The provider that has the last word on a value.</summary>
    private static string SourceOf(IConfiguration configuration, IConfigurationSection entry)
    {
        string leaf = (entry.GetChildren().FirstOrDefault() ?? entry).Path;
        return (configuration as IConfigurationRoot)?.Providers.LastOrDefault(provider => provider.TryGet(leaf, out _))?.ToString() ?? "the configuration";
    }

    private static string Text(IConfigurationSection entry) => entry.Value is { Length: > 0 } text ? text : throw new FormatException("it must be a text that is not empty.");

    private static long Number(IConfigurationSection entry, long most) =>
        long.TryParse(entry.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) && number <= most && number >= -most
            ? number : throw new FormatException("it must be a whole number.");

    private static TimeSpan Time(IConfigurationSection entry)
    {
        string text = entry.Value ?? "";
        foreach ((string unit, double milliseconds) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                && number * milliseconds < TimeSpan.FromDays(3650).TotalMilliseconds)
            {
                return TimeSpan.FromMilliseconds(number * milliseconds);
            }
        }

        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan value)
            ? value : throw new FormatException("it must be a duration: 500ms, 30s, 10m, 2h or hh:mm:ss.");
    }

    private static T Word<T>(IConfigurationSection entry, params (string Name, T Value)[] words)
    {
        foreach ((string name, T value) in words)
        {
            if (string.Equals(name, entry.Value, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        throw new FormatException($"it must be {string.Join(" or ", words.Select(word => word.Name))}.");
    }

    private static void Fill(IList<string> list, IConfigurationSection entry)
    {
        list.Clear();
        foreach (IConfigurationSection item in entry.GetChildren())
        {
            list.Add(Text(item));
        }
    }

    /// <summary>The known name that shares most pairs of letters with what was written.</summary>
    private static string Nearest(string written)
    {
        static HashSet<string> Pairs(string word) => [.. Enumerable.Range(0, Math.Max(word.Length - 1, 0)).Select(at => word.Substring(at, 2).ToLowerInvariant())];
        HashSet<string> pairs = Pairs(written);
        return Names.Keys.MaxBy(name => 2.0 * Pairs(name).Count(pairs.Contains) / (Pairs(name).Count + pairs.Count + 1))!;
    }
}
