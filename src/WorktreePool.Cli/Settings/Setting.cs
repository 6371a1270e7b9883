using System.Globalization;

namespace WorktreePool.Cli.Settings;

/// <summary>One setting: its name, and how it is read from text and written to it.</summary>
internal sealed record Setting(string Name, Action<WorktreePoolOptions, string> Set, Func<WorktreePoolOptions, string?> Get)
{
    /// <summary>All there are. A name that is not here is an error wherever it is met.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        new("repositoryPath", (o, v) => o.RepositoryPath = v, o => o.RepositoryPath),
        new("slotsDirectory", (o, v) => o.SlotsDirectory = v, o => o.SlotsDirectory),
        new("slots", (o, v) => o.Slots = Number("slots", v), o => o.Slots.ToString(CultureInfo.InvariantCulture)),
        new("base", (o, v) => o.Base = v, o => o.Base),
        new("claimTimeout", (o, v) => o.ClaimTimeout = Time("claimTimeout", v), o => Duration.Format(o.ClaimTimeout)),
        new("releaseTimeout", (o, v) => o.ReleaseTimeout = Time("releaseTimeout", v), o => Duration.Format(o.ReleaseTimeout)),
        new("hostTaskTimeout", (o, v) => o.HostTaskTimeout = Time("hostTaskTimeout", v), o => o.HostTaskTimeout is { } time ? Duration.Format(time) : null),
        new("leaseDuration", (o, v) => o.LeaseDuration = Time("leaseDuration", v), o => Duration.Format(o.LeaseDuration)),
        new("releaseMode", (o, v) => o.ReleaseMode = Mode(v), o => o.ReleaseMode == ReleaseMode.Discard ? "discard" : "rescue"),
        new("quarantineBackoff", (o, v) => o.QuarantineBackoff = Time("quarantineBackoff", v), o => Duration.Format(o.QuarantineBackoff)),
        new("keep", SetKeep, o => o.Keep.Count == 0 ? null : string.Join('\n', o.Keep)),
    ];

    /// <summary>The setting of a name, in any case.</summary>
    /// <exception cref="PoolConfigurationException">There is none; names the nearest.</exception>
    public static Setting Find(string name, string where) =>
        All.FirstOrDefault(setting => string.Equals(setting.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new PoolConfigurationException(
            $"{where} sets \"{name}\", which is no setting and would have no effect. Did you mean \"{All.MinBy(setting => Distance(setting.Name.ToLowerInvariant(), name.ToLowerInvariant()))!.Name}\"?");

    private static void SetKeep(WorktreePoolOptions options, string value)
    {
        options.Keep.Clear();
        foreach (string pattern in value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            options.Keep.Add(pattern);
        }
    }

    private static int Number(string name, string value) => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new PoolConfigurationException($"{name} is \"{value}\", which is no whole number.");

    private static TimeSpan Time(string name, string value) => Duration.TryParse(value, out TimeSpan time)
        ? time
        : throw new PoolConfigurationException($"{name} is \"{value}\", which is no duration. Write 500ms, 30s, 10m, 2h or hh:mm:ss.");

    private static ReleaseMode Mode(string value) => value switch
    {
        "rescue" => ReleaseMode.Rescue,
        "discard" => ReleaseMode.Discard,
        _ => throw new PoolConfigurationException($"releaseMode is \"{value}\"; it is \"rescue\" or \"discard\"."),
    };

    /// <summary>Levenshtein's distance, for "did you mean".</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
