using System.Globalization;
using WorktreePool.Postgres;

namespace WorktreePool.Cli.Settings;

/// <summary>One setting: its name, its flag, and how it is read from text and written to it.</summary>
internal sealed record Setting(string Name, string Flag, string Meaning, Action<EffectiveSettings, string> Set, Func<EffectiveSettings, string?> Get)
{
    private static readonly PostgresOptions PostgresDefaults = new();

    /// <summary>One of the pool's options.</summary>
    private Setting(string name, string flag, string meaning, Action<WorktreePoolOptions, string> set, Func<WorktreePoolOptions, string?> get)
        : this(name, flag, meaning, (EffectiveSettings settings, string value) => set(settings.Pool, value), (EffectiveSettings settings) => get(settings.Pool))
    {
    }

    /// <summary>All there are. A name that is not here is an error wherever it is met.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        new("repositoryPath", "--repo", "The repository", (o, v) => o.RepositoryPath = v, o => o.RepositoryPath) { IsPath = true },
        new("isolated", "--isolated", "A bare repository of the pool's own, restored at every claim and release: for agents that run arbitrary commands", (o, v) => o.Isolated = YesNo("isolated", v), o => o.Isolated ? "true" : "false") { IsSwitch = true },
        new("remote", "--remote", "What an isolated pool fetches from; default: the repository's remote, or itself. Makes the pool isolated", (o, v) => o.Remote = v, o => o.Remote),
        new("slotsDirectory", "--slots-dir", "Where the slots are made; default: slots in the pool's directory", (o, v) => o.SlotsDirectory = v, o => o.SlotsDirectory) { IsPath = true },
        new("slots", "--slots", "How many slots, 1 to 1000", (o, v) => o.Slots = Number("slots", v), o => o.Slots.ToString(CultureInfo.InvariantCulture)),
        new("base", "--base", "The ref slots are reset to; default: the remote's default branch", (o, v) => o.Base = v, o => o.Base),
        OfTime("claimTimeout", "--claim-timeout", "How long a claim may take, waiting included", (o, v) => o.ClaimTimeout = v, o => o.ClaimTimeout),
        OfTime("releaseTimeout", "--release-timeout", "How long a release may take", (o, v) => o.ReleaseTimeout = v, o => o.ReleaseTimeout),
        OfTime("hostTaskTimeout", "--host-timeout", "After how long the host kills a task that claims; above the claim timeout", (o, v) => o.HostTaskTimeout = v, o => o.HostTaskTimeout),
        OfTime("leaseDuration", "--lease-duration", "How long a lease without a process lasts unless renewed", (o, v) => o.LeaseDuration = v, o => o.LeaseDuration),
        new("releaseMode", "--release-mode", "What a release does with work when it does not say: rescue or discard", (o, v) => o.ReleaseMode = Mode(v), o => o.ReleaseMode == ReleaseMode.Discard ? "discard" : "rescue"),
        OfTime("quarantineBackoff", "--quarantine-backoff", "How long a quarantined slot waits before its first retry", (o, v) => o.QuarantineBackoff = v, o => o.QuarantineBackoff),
        new("leftoverProcesses", "--leftover-processes", "What happens to processes left in a slot: kill (those of the lease), wait or fail", (o, v) => o.LeftoverProcesses = Leftovers(v), o => o.LeftoverProcesses.ToString().ToLowerInvariant()),
        new("rescueLimit", "--rescue-limit", "The largest rescue, in bytes", (o, v) => o.RescueLimit = Bytes("rescueLimit", v), o => o.RescueLimit.ToString(CultureInfo.InvariantCulture)),
        OfTime("rescueRetention", "--rescue-retention", "How long rescued work is kept", (o, v) => o.RescueRetention = v, o => o.RescueRetention),
        new("rescueCount", "--rescue-count", "How many rescues are kept", (o, v) => o.RescueCount = Number("rescueCount", v), o => o.RescueCount.ToString(CultureInfo.InvariantCulture)),
        new("hostName", "--host-name", "This machine's name in the pool's records; default: its own", (s, v) => s.Store.HostName = v, s => s.Store.HostName ?? Environment.MachineName) { IsOfPlace = true },
        new("store", "--store", "Where the pool's state is: files, or postgres for several hosts", (s, v) => s.Store.SetKind(v), s => s.Store.Kind) { IsOfPlace = true },
        new("postgres", "--postgres", "How to reach PostgreSQL, without a password: Host=…;Database=…;Username=…;SSL Mode=VerifyFull;Passfile=…", (s, v) => s.Store.SetConnectionString(v), s => s.Store.ConnectionString) { IsOfPlace = true },
        new("postgresPool", "--postgres-pool", "The pool's name in the database; default: the name of its directory", (s, v) => s.Store.Pool = v, s => s.Store.Pool) { IsOfPlace = true },
        new("postgresSchema", "--postgres-schema", "The schema that holds the tables", (s, v) => s.Store.Schema = v, s => s.Store.Schema ?? PostgresDefaults.Schema) { IsOfPlace = true },
        OfStoreTime("postgresHostTimeout", "--postgres-host-timeout", "After how long without a check-in a host loses its keys", (s, v) => s.HostTimeout = v, s => s.HostTimeout ?? PostgresDefaults.HostTimeout),
        OfStoreTime("postgresFailoverPause", "--postgres-failover-pause", "How long nothing is claimed after a change-over of the database; default: as long as postgresHostTimeout", (s, v) => s.FailoverPause = v, s => s.FailoverPause),
        OfStoreTime("postgresOperationTimeout", "--postgres-operation-timeout", "How long one operation on the database may take", (s, v) => s.OperationTimeout = v, s => s.OperationTimeout ?? PostgresDefaults.OperationTimeout),
        OfStoreTime("postgresHistoryRetention", "--postgres-history-retention", "How long history is kept in the database", (s, v) => s.HistoryRetention = v, s => s.HistoryRetention ?? PostgresDefaults.HistoryRetention),
        new("keep", "--keep", "An untracked path that a clean leaves alone, for example /.cache/; may be repeated", (o, v) => SetList(o.Keep, v), o => Lines(o.Keep)) { IsList = true },
        new("sparse", "--sparse", "A directory that slots have, for example src; without any they have all; may be repeated", (o, v) => SetList(o.Sparse, v), o => Lines(o.Sparse)) { IsList = true },
        new("copy", "--copy", "An ignored file that every claim finds copied from the main checkout, for example /.env; may be repeated", (o, v) => SetList(o.Copy, v), o => Lines(o.Copy)) { IsList = true },
        new("setUp", "--set-up", "What is run in a slot before it is handed over, when needed: a JSON list of steps", SetSteps, o => SetUpJson.Write(o.SetUp)) { IsJson = true },
    ];

    /// <summary>Whether its flag's value is a path, relative to the current directory.</summary>
    public bool IsPath { get; private init; }

    /// <summary>Whether it says where the pool and its state are, so that only what makes, moves or shows a pool takes its flag.</summary>
    public bool IsOfPlace { get; private init; }

    /// <summary>Whether its flag needs no value: given alone, it means true.</summary>
    public bool IsSwitch { get; private init; }

    /// <summary>Whether it is a list; as text, one a line.</summary>
    public bool IsList { get; private init; }

    /// <summary>Whether its text is JSON, as it stands in pool.json.</summary>
    public bool IsJson { get; private init; }

    /// <summary>The setting of a name, in any case.</summary>
    /// <exception cref="PoolConfigurationException">There is none; names the nearest.</exception>
    public static Setting Find(string name, string where) =>
        All.FirstOrDefault(setting => string.Equals(setting.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new PoolConfigurationException(
            $"{where} sets \"{name}\", which is no setting and would have no effect. Did you mean \"{Nearest.To(name, All.Select(setting => setting.Name))}\"?");

    private static void SetList(IList<string> list, string value)
    {
        list.Clear();
        foreach (string item in value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            list.Add(item);
        }
    }

    private static string? Lines(IList<string> list) => list.Count == 0 ? null : string.Join('\n', list);

    private static void SetSteps(WorktreePoolOptions options, string value)
    {
        options.SetUp.Clear();
        foreach (SetUpStep step in SetUpJson.Read(value))
        {
            options.SetUp.Add(step);
        }
    }

    private static int Number(string name, string value) => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new PoolConfigurationException($"{name} is \"{value}\", which is no whole number.");

    private static bool YesNo(string name, string value) => bool.TryParse(value, out bool yes)
        ? yes
        : throw new PoolConfigurationException($"{name} is \"{value}\"; it is true or false.");

    private static long Bytes(string name, string value) => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
        ? number
        : throw new PoolConfigurationException($"{name} is \"{value}\", which is no number of bytes.");

    private static Setting OfTime(string name, string flag, string meaning, Action<WorktreePoolOptions, TimeSpan> set, Func<WorktreePoolOptions, TimeSpan?> get) => new(
        name, flag, meaning, (options, text) => set(options, Time(name, text)), options => get(options) is { } time ? Duration.Format(time) : null);

    private static Setting OfStoreTime(string name, string flag, string meaning, Action<StoreSettings, TimeSpan> set, Func<StoreSettings, TimeSpan?> get) => new(
        name, flag, meaning, (EffectiveSettings settings, string text) => set(settings.Store, Time(name, text)), (EffectiveSettings settings) => get(settings.Store) is { } time ? Duration.Format(time) : null)
    {
        IsOfPlace = true,
    };

    private static TimeSpan Time(string name, string value) => Duration.TryParse(value, out TimeSpan time)
        ? time
        : throw new PoolConfigurationException($"{name} is \"{value}\", which is no duration. Write 500ms, 30s, 10m, 2h or hh:mm:ss.");

    private static LeftoverPolicy Leftovers(string value) => value switch
    {
        "kill" => LeftoverPolicy.Kill,
        "wait" => LeftoverPolicy.Wait,
        "fail" => LeftoverPolicy.Fail,
        _ => throw new PoolConfigurationException($"leftoverProcesses is \"{value}\"; it is \"kill\", \"wait\" or \"fail\"."),
    };

    private static ReleaseMode Mode(string value) => value switch
    {
        "rescue" => ReleaseMode.Rescue,
        "discard" => ReleaseMode.Discard,
        _ => throw new PoolConfigurationException($"releaseMode is \"{value}\"; it is \"rescue\" or \"discard\"."),
    };
}
