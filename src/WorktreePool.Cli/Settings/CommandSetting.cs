using WorktreePool.Postgres;
using WorktreePool.Settings;

namespace WorktreePool.Cli.Settings;

/// <summary>A setting of the command: one of the pool's options, or where the pool's state is; with its flag.</summary>
internal sealed record CommandSetting(string Name, string Flag, string Meaning, SettingForm Form, Action<EffectiveSettings, string> Set, Func<EffectiveSettings, string?> Get)
{
    private static readonly PostgresOptions PostgresDefaults = new();

    /// <summary>Flags that are shorter than their setting's name.</summary>
    private static readonly Dictionary<string, string> ShortFlags = new() { ["repositoryPath"] = "--repo", ["slotsDirectory"] = "--slots-dir", ["hostTaskTimeout"] = "--host-timeout" };

    /// <summary>All there are. The pool's directory is none: it is where they are read from.</summary>
    public static readonly IReadOnlyList<CommandSetting> All =
    [
        .. PoolSettingTable.All.Where(setting => setting.Name != "poolDirectory").Select(Of),
        OfPlace("hostName", "This machine's name in the pool's records; default: its own", (s, v) => s.HostName = v, s => s.HostName ?? Environment.MachineName),
        OfPlace("store", "Where the pool's state is: files, or postgres for several hosts", (s, v) => s.SetKind(v), s => s.Kind),
        OfPlace("postgres", "How to reach PostgreSQL, without a password: Host=…;Database=…;Username=…;SSL Mode=VerifyFull;Passfile=…", (s, v) => s.SetConnectionString(v), s => s.ConnectionString),
        OfPlace("postgresPool", "The pool's name in the database; default: the name of its directory", (s, v) => s.Pool = v, s => s.Pool),
        OfPlace("postgresSchema", "The schema that holds the tables", (s, v) => s.Schema = v, s => s.Schema ?? PostgresDefaults.Schema),
        OfPlace("postgresHostTimeout", "After how long without a check-in a host loses its keys", (s, v) => s.HostTimeout = SettingText.Time(v), s => Duration.Format(s.HostTimeout ?? PostgresDefaults.HostTimeout)),
        OfPlace("postgresFailoverPause", "How long nothing is claimed after a change-over of the database; default: as long as postgresHostTimeout", (s, v) => s.FailoverPause = SettingText.Time(v), s => s.FailoverPause is { } pause ? Duration.Format(pause) : null),
        OfPlace("postgresOperationTimeout", "How long one operation on the database may take", (s, v) => s.OperationTimeout = SettingText.Time(v), s => Duration.Format(s.OperationTimeout ?? PostgresDefaults.OperationTimeout)),
    ];

    /// <summary>Whether it says where the pool and its state are, so that only what makes, moves or shows a pool takes its flag.</summary>
    public bool IsOfPlace { get; private init; }

    public bool IsPath => Form == SettingForm.Path;

    public bool IsSwitch => Form == SettingForm.Switch;

    public bool IsList => Form == SettingForm.List;

    public bool IsJson => Form == SettingForm.Json;

    /// <summary>The setting of a name, in any case.</summary>
    /// <exception cref="PoolConfigurationException">There is none; names the nearest.</exception>
    public static CommandSetting Find(string name, string where) =>
        All.FirstOrDefault(setting => string.Equals(setting.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new PoolConfigurationException(
            $"{where} sets \"{name}\", which is no setting and would have no effect. Did you mean \"{Nearest.To(name, All.Select(setting => setting.Name))}\"?");

    /// <summary>Reads it from text.</summary>
    /// <returns>What is wrong with the text, as it follows what names the setting; null when nothing is.</returns>
    /// <param name="settings">Where it is read to.</param>
    /// <param name="value">The text.</param>
    /// <param name="from">Where the text comes from, as it follows the value.</param>
    public string? WhyNot(EffectiveSettings settings, string value, string from)
    {
        try
        {
            Set(settings, value);
            return null;
        }
        catch (FormatException e)
        {
            return IsJson ? $"{from}: {e.Message}" : $" is \"{value}\"{from}; {e.Message}";
        }
    }

    private static CommandSetting Of(Setting<WorktreePoolOptions> setting) => new(
        setting.Name, ShortFlags.GetValueOrDefault(setting.Name) ?? FlagOf(setting.Name), setting.Meaning, setting.Form,
        (settings, text) => setting.Set(settings.Pool, text), settings => setting.Get(settings.Pool));

    private static CommandSetting OfPlace(string name, string meaning, Action<StoreSettings, string> set, Func<StoreSettings, string?> get) => new(
        name, FlagOf(name), meaning, SettingForm.Text, (settings, text) => set(settings.Store, text), settings => get(settings.Store))
    {
        IsOfPlace = true,
    };

    private static string FlagOf(string name) => "--" + string.Concat(name.Select(letter => char.IsUpper(letter) ? $"-{char.ToLowerInvariant(letter)}" : $"{letter}"));
}
