namespace WorktreePool.Settings;

/// <summary>All settings of a pool's keeper. The command's keeper is told how often by <c>maintain --every</c> and has none of them.</summary>
internal static class KeeperSettingTable
{
    private const string Never = "never";

    /// <summary>No timer waits much longer.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    public static readonly IReadOnlyList<Setting<KeeperOptions>> All =
    [
        Setting<KeeperOptions>.Of(
            "interval", "How long the keeper rests between two passes", SettingForm.Text, o => o.Interval, (o, v) => o.Interval = v, SettingText.Time, Duration.Format,
            time => time > TimeSpan.Zero && time <= Longest ? null : new BrokenRule($"{time.TotalSeconds:0.###} s", $"it must be more than zero and at most {Longest.TotalDays} days."), reloads: true),
        Setting<KeeperOptions>.Of(
            "baseRefresh", "How old the base may grow before the remote is asked; 0s: at every pass; never", SettingForm.Text, o => o.BaseRefresh, (o, v) => o.BaseRefresh = v, ReadAge,
            age => age is { } time ? Duration.Format(time) : Never, age => age is null || age >= TimeSpan.Zero ? null : new BrokenRule($"{age.Value.TotalSeconds:0.###} s", "it must be zero or more."), reloads: true),
    ];

    /// <summary>What is wrong with them, each with the setting, its value and the rule.</summary>
    public static IEnumerable<string> Check(KeeperOptions options) =>
        from setting in All let why = setting.WhyNot(options) where why is not null select $"the keeper's {setting.OptionName} is {why.Value}; {why.Rule}";

    private static TimeSpan? ReadAge(string text) => text == Never ? null
        : Duration.TryParse(text, out TimeSpan time) ? time
        : throw new FormatException(Duration.Rule + " Or never.");
}
