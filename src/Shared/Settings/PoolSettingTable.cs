namespace WorktreePool.Settings;

/// <summary>All settings of a pool: for pool.json, flags and environment, for a section of a configuration, and for the rules. A name that is not here is an error wherever it is met.</summary>
internal static class PoolSettingTable
{
    /// <summary>Beyond this a pool is almost surely a typing error, and every slot is a whole checkout.</summary>
    private const int MostSlots = 1000;

    private const int MostAtOnce = 64;

    public static readonly IReadOnlyList<Setting<WorktreePoolOptions>> All =
    [
        OfText("repositoryPath", "The repository", o => o.RepositoryPath, (o, v) => o.RepositoryPath = v, SettingForm.Path),
        Setting<WorktreePoolOptions>.Of("isolated", "A bare repository of the pool's own, restored at every claim and release: for agents that run arbitrary commands", SettingForm.Switch, o => o.Isolated, (o, v) => o.Isolated = v, SettingText.YesNo, SettingText.Write),
        OfText("remote", "What an isolated pool fetches from; default: the repository's remote, or itself. Makes the pool isolated", o => o.Remote, (o, v) => o.Remote = v),
        OfText("poolDirectory", "The pool's own directory", o => o.PoolDirectory, (o, v) => o.PoolDirectory = v, SettingForm.Path),
        OfText("slotsDirectory", "Where the slots are made; default: slots in the pool's directory", o => o.SlotsDirectory, (o, v) => o.SlotsDirectory = v, SettingForm.Path),
        OfNumber("slots", "How many slots, 1 to 1000", o => o.Slots, (o, v) => o.Slots = v, 1, MostSlots),
        OfText("base", "The ref slots are reset to; default: the remote's default branch", o => o.Base, (o, v) => o.Base = v),
        OfTime("claimTimeout", "How long a claim may take, waiting included", o => o.ClaimTimeout, (o, v) => o.ClaimTimeout = v),
        OfNumber("batchParallelism", "How many slots of one batch are prepared at once, 1 to 64", o => o.BatchParallelism, (o, v) => o.BatchParallelism = v, 1, MostAtOnce, reloads: true),
        OfTime("releaseTimeout", "How long a release may take; default 60s, or less where the host's time-out leaves less", o => o.ReleaseTimeout, (o, v) => o.ReleaseTimeout = v),
        Setting<WorktreePoolOptions>.Of("hostTaskTimeout", "After how long the host kills a task that claims and releases; above both time-outs together", SettingForm.Text, o => o.HostTaskTimeout, (o, v) => o.HostTaskTimeout = v, text => (TimeSpan?)SettingText.Time(text), time => time is { } set ? Duration.Format(set) : null, time => time is { } set ? NotPositive(set) : null, reloads: true),
        OfTime("leaseDuration", "How long a lease without a process lasts unless renewed", o => o.LeaseDuration, (o, v) => o.LeaseDuration = v),
        Setting<WorktreePoolOptions>.Of("releaseMode", "What a release does with work when it does not say: rescue or discard", SettingForm.Text, o => o.ReleaseMode, (o, v) => o.ReleaseMode = v, SettingText.Word<ReleaseMode>, SettingText.Write, reloads: true),
        OfTime("quarantineBackoff", "How long a quarantined slot waits before its first retry", o => o.QuarantineBackoff, (o, v) => o.QuarantineBackoff = v),
        Setting<WorktreePoolOptions>.Of("leftoverProcesses", "What happens to processes left in a slot: kill (those of the lease), wait or fail", SettingForm.Text, o => o.LeftoverProcesses, (o, v) => o.LeftoverProcesses = v, SettingText.Word<LeftoverPolicy>, SettingText.Write, reloads: true),
        OfBytes("rescueLimit", "The largest rescue, in bytes", o => o.RescueLimit, (o, v) => o.RescueLimit = v),
        OfTime("rescueRetention", "How long rescued work is kept", o => o.RescueRetention, (o, v) => o.RescueRetention = v),
        OfNumber("rescueCount", "How many rescues are kept", o => o.RescueCount, (o, v) => o.RescueCount = v, 1, int.MaxValue, reloads: true),
        OfTime("historyRetention", "How long history is kept", o => o.HistoryRetention, (o, v) => o.HistoryRetention = v),
        OfBytes("historyLimit", "About how much history is kept in a file, in bytes", o => o.HistoryLimit, (o, v) => o.HistoryLimit = v, reloads: true),
        Setting<WorktreePoolOptions>.Of("watchSlots", "Whether a process that keeps the pool and claims watches free slots, so that a claim reads no files as long as nothing has changed", SettingForm.Switch, o => o.WatchSlots, (o, v) => o.WatchSlots = v, SettingText.YesNo, SettingText.Write),
        OfLines("keep", "An untracked path that a clean leaves alone, for example /.cache/; may be repeated", o => o.Keep),
        OfLines("sparse", "A directory that slots have, for example src; without any they have all; may be repeated", o => o.Sparse),
        OfLines("copy", "An ignored file that every claim finds copied from the main checkout, for example /.env; may be repeated", o => o.Copy),
        Setting<WorktreePoolOptions>.OfList("setUp", "What is run in a slot before it is handed over, when needed: a JSON list of steps", SettingForm.Json, o => o.SetUp, SetUpJson.Read, SetUpJson.Write),
    ];

    /// <summary>The setting of a name, in any case; null when there is none.</summary>
    public static Setting<WorktreePoolOptions>? Find(string name) => All.FirstOrDefault(setting => string.Equals(setting.Name, name, StringComparison.OrdinalIgnoreCase));

    private static Setting<WorktreePoolOptions> OfText(string name, string meaning, Func<WorktreePoolOptions, string?> get, Action<WorktreePoolOptions, string> set, SettingForm form = SettingForm.Text) =>
        Setting<WorktreePoolOptions>.Of(name, meaning, form, get, (options, text) => set(options, text!), text => (string?)SettingText.Text(text), text => text is { Length: > 0 } ? text : null);

    private static Setting<WorktreePoolOptions> OfNumber(string name, string meaning, Func<WorktreePoolOptions, int> get, Action<WorktreePoolOptions, int> set, int least, int most, bool reloads = false) =>
        Setting<WorktreePoolOptions>.Of(name, meaning, SettingForm.Number, get, set, SettingText.Number, number => SettingText.Write(number),
            number => number >= least && number <= most ? null : new BrokenRule(SettingText.Write(number), $"it must be {(most == int.MaxValue ? $"at least {least}" : $"{least} to {most}")}."), reloads);

    private static Setting<WorktreePoolOptions> OfBytes(string name, string meaning, Func<WorktreePoolOptions, long> get, Action<WorktreePoolOptions, long> set, bool reloads = false) =>
        Setting<WorktreePoolOptions>.Of(name, meaning, SettingForm.Number, get, set, SettingText.Bytes, SettingText.Write, bytes => bytes > 0 ? null : new BrokenRule(SettingText.Write(bytes), "it must be more than zero."), reloads);

    private static Setting<WorktreePoolOptions> OfTime(string name, string meaning, Func<WorktreePoolOptions, TimeSpan> get, Action<WorktreePoolOptions, TimeSpan> set) =>
        Setting<WorktreePoolOptions>.Of(name, meaning, SettingForm.Text, get, set, SettingText.Time, Duration.Format, NotPositive, reloads: true);

    private static Setting<WorktreePoolOptions> OfLines(string name, string meaning, Func<WorktreePoolOptions, IList<string>> get) =>
        Setting<WorktreePoolOptions>.OfList(name, meaning, SettingForm.List, get, SettingText.Lines, SettingText.Write);

    private static BrokenRule? NotPositive(TimeSpan time) => time > TimeSpan.Zero ? null : new BrokenRule($"{time.TotalSeconds:0.###} s", "it must be more than zero.");
}
