using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>maintain.</summary>
internal static class MaintainCommand
{
    public static Command Create() => App.Command("maintain", "One pass of the keeper, or a loop", RunAsync, new Option<string?>("--every") { Description = "Repeat after this time, until interrupted" });

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        TimeSpan? every = session.Time("--every");
        if (every <= TimeSpan.Zero)
        {
            throw new UsageException("--every must be more than zero.");
        }

        using PeriodicTimer? timer = every is { } period ? new PeriodicTimer(period) : null;
        do
        {
            MaintenanceReport report = await session.Pool.MaintainAsync(cancellationToken);
            session.Answer.Give(
                new MaintainedDocument("maintained", report.Reclaimed, report.Healed, report.Quarantined, report.Rescued), AnswerJson.Default.MaintainedDocument,
                () => $"reclaimed {List(report.Reclaimed)}; healed {List(report.Healed)}; quarantined {List(report.Quarantined)}; rescued {List(report.Rescued)}");
        }
        while (timer is not null && await StatusCommand.NextAsync(timer, cancellationToken));
        return ExitCode.Done;
    }

    private static string List(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}
