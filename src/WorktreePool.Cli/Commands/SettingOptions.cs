using System.CommandLine;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>Every setting as a flag: what is given here counts before the environment and pool.json. Only init stores it.</summary>
internal static class SettingOptions
{
    /// <summary>What the pool is made of: only where a pool is made, or looked at.</summary>
    private static readonly string[] Shape = ["repositoryPath", "isolated", "remote", "slotsDirectory", "slots", "base"];

    /// <summary>The flags of all settings.</summary>
    public static IEnumerable<Option> All() => CommandSetting.All.Select(Create);

    /// <summary>The flags that say where the pool's state is; which store is said otherwise.</summary>
    public static IEnumerable<Option> OfPlace() => CommandSetting.All.Where(setting => setting.IsOfPlace && setting.Name != "store").Select(Create);

    /// <summary>The flags that every command on a pool takes, not shown in its help.</summary>
    public static IEnumerable<Option> OfBehaviour() => CommandSetting.All.Where(setting => !setting.IsOfPlace && !Shape.Contains(setting.Name)).Select(setting =>
    {
        Option option = Create(setting);
        option.Hidden = true;
        return option;
    });

    /// <summary>Puts the flags that were given into the settings.</summary>
    /// <exception cref="UsageException">A value has not its setting's form.</exception>
    public static void Apply(ParseResult parsed, PoolSettings settings)
    {
        foreach (Option option in parsed.CommandResult.Command.Options)
        {
            if (option is SettingOption { Setting: var setting } given && Values(parsed, given) is { Length: > 0 } values)
            {
                if (values.Length > 1 && !setting.IsList)
                {
                    throw new UsageException($"{setting.Flag} is given twice.");
                }

                string value = string.Join('\n', values.Select(text => setting.IsPath ? Path.GetFullPath(text) : text));
                Check(setting, value);
                settings.SetFlag(setting.Name, value);
            }
        }
    }

    private static string[]? Values(ParseResult parsed, SettingOption given) =>
        given.Setting.IsSwitch && parsed.GetResult(given) is { Implicit: false, Tokens.Count: 0 } ? ["true"] : parsed.GetValue(given);

    private static void Check(CommandSetting setting, string value)
    {
        try
        {
            if (setting.WhyNot(new EffectiveSettings(), value, "") is { } why)
            {
                throw new UsageException($"{setting.Flag}{why}");
            }
        }
        catch (PoolConfigurationException e)
        {
            throw new UsageException($"{setting.Flag}: {e.Message}");
        }
    }

    private static SettingOption Create(CommandSetting setting) => new(setting) { Description = setting.Meaning, Arity = setting.IsSwitch ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore };

    private sealed class SettingOption(CommandSetting setting) : Option<string[]>(setting.Flag)
    {
        public CommandSetting Setting => setting;
    }
}
