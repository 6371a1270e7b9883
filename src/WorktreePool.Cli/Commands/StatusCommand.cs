using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>status.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(1);

    public static Command Create() => App.Command("status", "Shows the pool: what is held by whom, what is broken, what to do", RunAsync, new Option<bool>("--watch") { Description = "Keeps showing it" });

    /// <summary>The status for people, as this standard output can show it.</summary>
    public static string Text(PoolSnapshot snapshot)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return Screen.IsTerminal ? Screen.Draw(StatusPicture.Of(snapshot, now)) : Output.Text.Status(snapshot, now);
    }

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (!session.Get<bool>("--watch"))
        {
            Give(session, await session.Pool.GetSnapshotAsync(cancellationToken));
            return ExitCode.Done;
        }

        using var timer = new PeriodicTimer(Refresh);
        try
        {
            if (Screen.IsTerminal && !session.Answer.IsJson)
            {
                await Screen.ShowAsync(
                    async () => Text(await session.Pool.GetSnapshotAsync(cancellationToken)),
                    async () => await timer.WaitForNextTickAsync(cancellationToken));
                return ExitCode.Done;
            }

            do
            {
                Give(session, await session.Pool.GetSnapshotAsync(cancellationToken));
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The person at the keyboard has had enough.
        }

        return ExitCode.Done;
    }

    private static void Give(Session session, PoolSnapshot snapshot) =>
        session.Answer.Give(Mapping.Status(snapshot), AnswerJson.Default.StatusDocument, () => Text(snapshot));
}
