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

        if (every is not { } period)
        {
            await PassAsync(session, cancellationToken);
            return ExitCode.Done;
        }

        using var timer = new PeriodicTimer(period);
        try
        {
            do
            {
                await PassAsync(session, cancellationToken);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // To be told to end is how a loop ends: a service manager sees success.
        }

        return ExitCode.Done;
    }

    private static async Task PassAsync(Session session, CancellationToken cancellationToken)
    {
        MaintenanceReport report = await session.Pool.MaintainAsync(cancellationToken);
        session.Answer.Give(
            new MaintainedDocument("maintained", report.Reclaimed, report.Healed, report.Quarantined, report.Rescued), AnswerJson.Default.MaintainedDocument,
            () => $"reclaimed {List(report.Reclaimed)}; healed {List(report.Healed)}; quarantined {List(report.Quarantined)}; rescued {List(report.Rescued)}");
    }

    private static string List(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}
