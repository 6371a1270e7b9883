using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>status.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(1);

    public static Command Create() => App.Command("status", "Shows the pool", RunAsync, new Option<bool>("--watch") { Description = "Keeps showing it" });

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        bool watch = session.Get<bool>("--watch");
        using var timer = new PeriodicTimer(Refresh);
        do
        {
            PoolSnapshot snapshot = await session.Pool.GetSnapshotAsync(cancellationToken);
            if (watch && !session.Answer.IsJson && !Console.IsOutputRedirected)
            {
                Console.Clear();
            }

            session.Answer.Give(Mapping.Status(snapshot), AnswerJson.Default.StatusDocument, () => Text.Status(snapshot));
        }
        while (watch && await NextAsync(timer, cancellationToken));
        return ExitCode.Done;
    }

    /// <summary>The next tick; false when the person at the keyboard has had enough.</summary>
    public static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken cancellationToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
