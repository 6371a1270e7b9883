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
            Tell(session, await session.Pool.MaintainAsync(cancellationToken));
            return ExitCode.Done;
        }

        try
        {
            await foreach (MaintenanceReport report in session.Pool.KeepAsync(new KeeperOptions { Interval = period }, cancellationToken))
            {
                Tell(session, report);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // To be told to end is how a loop ends: a service manager sees success.
        }

        return ExitCode.Done;
    }

    private static void Tell(Session session, MaintenanceReport report)
    {
        if (report.KeptBy is { } keeper)
        {
            session.Answer.Give(
                new KeptDocument("kept", new KeeperDocument(keeper.Holder.Host, keeper.Holder.Pid, keeper.Since)), AnswerJson.Default.KeptDocument,
                () => $"nothing done: process {keeper.Holder.Pid} on {keeper.Holder.Host} keeps this pool since {keeper.Since:u}");
            return;
        }

        session.Answer.Give(
            new MaintainedDocument("maintained", report.Reclaimed, report.Healed, report.Quarantined, report.Rescued, report.Yielded, report.Overdue, report.Failures),
            AnswerJson.Default.MaintainedDocument,
            () => $"reclaimed {List(report.Reclaimed)}; healed {List(report.Healed)}; quarantined {List(report.Quarantined)}; rescued {List(report.Rescued)}"
                + Further("given up for a claim", report.Yielded) + Further("overdue", report.Overdue) + string.Concat(report.Failures.Select(failure => $"{Environment.NewLine}failed: {failure}")));
    }

    private static string Further(string what, IReadOnlyList<string> slots) => slots.Count == 0 ? "" : $"; {what}: {List(slots)}";

    private static string List(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}
