using System.Globalization;

namespace WorktreePool.Benchmarks.Contention;

/// <summary>What the contention harness runs.</summary>
internal sealed record ContentionSettings
{
    public int Processes { get; init; } = 4;

    /// <summary>Tasks in each process that claim and release in a loop.</summary>
    public int Claimers { get; init; } = 4;

    public int Slots { get; init; } = 8;

    /// <summary>How long each round is.</summary>
    public double Seconds { get; init; } = 4;

    /// <summary>How often one process alone and all together run in turns.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>How long they do so before it counts: .NET compiles in the meantime, each process for itself, and a dispatcher has run for days.</summary>
    public double WarmUpSeconds { get; init; } = 10;

    /// <summary>How long a claimer holds its slot, and then pauses before it claims again.</summary>
    public double HoldMilliseconds { get; init; }

    /// <summary>Where the pool is; the parent makes it.</summary>
    public string Root { get; init; } = "";

    public static ContentionSettings Parse(string[] args)
    {
        var settings = new ContentionSettings();
        for (int at = 0; at < args.Length; at += 2)
        {
            string value = at + 1 < args.Length ? args[at + 1] : throw new ArgumentException($"{args[at]} needs a value.");
            settings = args[at] switch
            {
                "--processes" => settings with { Processes = Whole(value) },
                "--claimers" => settings with { Claimers = Whole(value) },
                "--slots" => settings with { Slots = Whole(value) },
                "--seconds" => settings with { Seconds = Number(value) },
                "--rounds" => settings with { Rounds = Whole(value) },
                "--warm-up-seconds" => settings with { WarmUpSeconds = Number(value) },
                "--hold-ms" => settings with { HoldMilliseconds = Number(value) },
                "--root" => settings with { Root = value },
                _ => throw new ArgumentException($"{args[at]} is no option: --processes, --claimers, --slots, --rounds, --seconds, --warm-up-seconds, --hold-ms."),
            };
        }

        return settings;
    }

    public string[] ToArguments() =>
    [
        "--processes", Text(Processes), "--claimers", Text(Claimers), "--slots", Text(Slots), "--hold-ms", Text(HoldMilliseconds), "--root", Root,
    ];

    public static double Number(string value) => double.Parse(value, CultureInfo.InvariantCulture);

    public static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static int Whole(string value) => int.Parse(value, CultureInfo.InvariantCulture);
}
