using System.CommandLine;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Output.Html;

namespace WorktreePool.Cli.Commands;

/// <summary>status.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(1);

    /// <summary>How much of the history a report looks at.</summary>
    private const int ReportedEntries = 10_000;

    public static Command Create() => App.Command("status", "Shows the pool: what is held by whom, what is broken, what to do", RunAsync,
        new Option<bool>("--watch") { Description = "Keeps showing it; q or Ctrl-C ends" },
        new Option<string?>("--html") { Description = "Writes a report for a browser to this file: slots, leases over time, heals, waits" },
        new Option<bool>("--fleet") { Description = "All hosts of the pool, when its state is in PostgreSQL" });

    /// <summary>The status for people, as this standard output can show it.</summary>
    public static string Text(PoolSnapshot snapshot)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return Screen.IsTerminal ? Screen.Draw(StatusPicture.Of(snapshot, now)) : Output.Text.Status(snapshot, now);
    }

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Get<bool>("--fleet"))
        {
            return await FleetAsync(session, cancellationToken);
        }

        if (session.Get<string?>("--html") is { } file)
        {
            return session.Get<bool>("--watch")
                ? throw new UsageException("--html and --watch exclude each other.")
                : await ReportAsync(session, Path.GetFullPath(file), cancellationToken);
        }

        if (!session.Get<bool>("--watch"))
        {
            Give(session, await session.Pool.GetSnapshotAsync(cancellationToken));
            return ExitCode.Done;
        }

        if (Screen.IsTerminal && !session.Answer.IsJson)
        {
            await Screen.WatchAsync(async height => Picture(await session.Pool.GetSnapshotAsync(cancellationToken), height), Refresh, cancellationToken);
            return ExitCode.Done;
        }

        using var timer = new PeriodicTimer(Refresh);
        try
        {
            do
            {
                Give(session, await session.Pool.GetSnapshotAsync(cancellationToken));
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Whoever reads it has had enough.
        }

        return ExitCode.Done;
    }

    /// <summary>As much as fits: rows are left out, what to do never is.</summary>
    public static string Picture(PoolSnapshot snapshot, int height)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        string footer = $"\n{now.ToLocalTime():HH:mm:ss}  q ends";
        string whole = Screen.Draw(StatusPicture.Of(snapshot, now)) + footer;
        for (int rows = height; rows > 0 && whole.AsSpan().Count('\n') >= height; rows--)
        {
            whole = Screen.Draw(StatusPicture.Of(snapshot, now, rows)) + footer;
        }

        return whole;
    }

    private static async Task<int> ReportAsync(Session session, string file, CancellationToken cancellationToken)
    {
        PoolSnapshot snapshot = await session.Pool.GetSnapshotAsync(cancellationToken);
        IReadOnlyList<HistoryEntry> history = await session.Operator.GetHistoryAsync(new HistoryQuery(Limit: ReportedEntries), cancellationToken);
        string page = HtmlReport.Of(snapshot, history, TimeProvider.System.GetUtcNow());

        // Whoever has the old one open never sees half of the new one.
        string temporary = $"{file}.{Environment.ProcessId}.tmp";
        try
        {
            await File.WriteAllTextAsync(temporary, page, cancellationToken);
            File.Move(temporary, file, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        session.Answer.Give(Mapping.Status(snapshot), AnswerJson.Default.StatusDocument, () => $"report: {file}");
        return ExitCode.Done;
    }

    private static async Task<int> FleetAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Get<bool>("--watch"))
        {
            throw new UsageException("--fleet shows the hosts once; it does not go with --watch.");
        }

        FleetSnapshot fleet = await session.Fleet.GetSnapshotAsync(cancellationToken);
        IReadOnlyList<HostState> placement = await session.Fleet.FindCapacityAsync(null, cancellationToken);
        session.Answer.Give(FleetStatus.Document(fleet, placement), AnswerJson.Default.FleetDocument, () => FleetStatus.Text(fleet, placement, TimeProvider.System.GetUtcNow()));
        return ExitCode.Done;
    }

    private static void Give(Session session, PoolSnapshot snapshot) =>
        session.Answer.Give(Mapping.Status(snapshot), AnswerJson.Default.StatusDocument, () => Text(snapshot));
}
