using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;
using WorktreePool.Benchmarks.Git;
using WorktreePool.Benchmarks.Stores;

namespace WorktreePool.Benchmarks.Ratios;

/// <summary>
/// Runs the benchmarks of a class in turns, floor and candidates in each round, and prints one line of a table for each. Whatever else the machine
/// does then falls on all of them alike: where BenchmarkDotNet measures one after the other, a ratio says most about the minute it was measured in.
/// </summary>
internal static class RatiosVerb
{
    private static readonly Type[] All = [typeof(ClaimBenchmarks), typeof(WatchedClaimBenchmarks), typeof(ReleaseBenchmarks), typeof(MoveBenchmarks), typeof(ProvisionBenchmarks), typeof(StoreBenchmarks), typeof(ScaleBenchmarks), typeof(CommandBenchmarks)];

    /// <param name="args">Name and value in turns: <c>--only</c> parts of class names and <c>--at</c> values of their parameter, each with commas between; <c>--rows</c> names of benchmarks, of which the floor is one; <c>--rounds</c>; <c>--warm-ups</c>, rounds before that do not count, else as many as the class says.</param>
    /// <returns>0; 1 when something allocated more than it may, see <see cref="MostAllocatedAttribute"/>.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        Dictionary<string, string> options = args.Chunk(2).ToDictionary(pair => pair[0], pair => pair.Length == 2 ? pair[1] : throw new ArgumentException($"{pair[0]} needs a value."));
        string[] only = options.TryGetValue("--only", out string? names) ? names.Split(',') : [""];
        string[]? at = options.TryGetValue("--at", out string? values) ? values.Split(',') : null;
        string[]? named = options.TryGetValue("--rows", out string? rowNames) ? rowNames.Split(',') : null;
        int? rounds = options.TryGetValue("--rounds", out string? number) ? int.Parse(number, CultureInfo.InvariantCulture) : null;
        int? warmUps = options.TryGetValue("--warm-ups", out string? before) ? int.Parse(before, CultureInfo.InvariantCulture) : null;
        if (options.Keys.FirstOrDefault(name => name is not ("--only" or "--at" or "--rows" or "--rounds" or "--warm-ups")) is { } unknown)
        {
            throw new ArgumentException($"{unknown} is no option: --only, --at, --rows, --rounds, --warm-ups.");
        }

        bool isWithin = true;

        Console.WriteLine("| benchmark | median | ratio of medians | middle half of the rounds' ratios | allocated |\n|---|---|---|---|---|");
        foreach (Type type in All.Where(type => only.Any(part => type.Name.Contains(part, StringComparison.OrdinalIgnoreCase))))
        {
            int count = rounds ?? type.GetCustomAttribute<IterationCountAttribute>()?.Config.GetJobs().First().Run.IterationCount ?? 15;
            int toWarm = warmUps ?? type.GetCustomAttribute<WarmUpRoundsAttribute>()?.Rounds ?? 2;
            PropertyInfo? parameter = type.GetProperties().FirstOrDefault(property => property.GetCustomAttribute<ParamsAttribute>() is not null);
            foreach (object? value in parameter?.GetCustomAttribute<ParamsAttribute>()!.Values.Where(value => at is null || at.Contains(Text(value!))) ?? [null])
            {
                isWithin &= await MeasureAsync(type, parameter, value, named, count, toWarm);
            }
        }

        return isWithin ? 0 : 1;
    }

    private static async Task<bool> MeasureAsync(Type type, PropertyInfo? parameter, object? value, string[]? named, int rounds, int warmUps)
    {
        Row[] rows = [.. type.GetMethods().Where(method => method.GetCustomAttribute<BenchmarkAttribute>() is not null && named?.Contains(method.Name) != false).Select(method => new Row(type, method, parameter, value))];
        foreach (Row row in rows)
        {
            await row.SetUpAsync();
        }

        for (int round = -warmUps; round < rounds; round++)
        {
            foreach (Row row in rows)
            {
                await row.RunAsync(counts: round >= 0);
            }
        }

        Row floor = rows.FirstOrDefault(row => row.IsBaseline) ?? rows[0];
        foreach (Row row in rows)
        {
            double[] ratios = [.. row.Microseconds.Zip(floor.Microseconds, (own, floors) => own / floors).Order()];
            Say($"| {type.Name}.{row.Name}{(parameter is null ? "" : $"({parameter.Name}: {value})")} | {row.MedianMicroseconds / 1000:0.000} ms | {row.MedianMicroseconds / floor.MedianMicroseconds:0.00} | {ratios[ratios.Length / 4]:0.00}–{ratios[ratios.Length * 3 / 4]:0.00} | {row.MedianKilobytes:0} KB |");
        }

        foreach (Row row in rows)
        {
            await row.CleanUpAsync();
        }

        // What is done for the first time allocates more.
        Row[] greedy = warmUps == 0 ? [] : [.. rows.Where(row => row.MedianKilobytes > row.MostKilobytes)];
        foreach (Row row in greedy)
        {
            Say($"{type.Name}.{row.Name} allocated {row.MedianKilobytes:0} KB, more than {row.MostKilobytes:0} KB.");
        }

        return greedy.Length == 0;
    }

    private static string Text(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
