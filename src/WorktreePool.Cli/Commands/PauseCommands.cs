using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>pause and resume.</summary>
internal static class PauseCommands
{
    public static Command Pause() => App.Command("pause", "No claim is granted by any process until resume", PauseAsync, new Option<string?>("--reason") { Description = "Why" });

    public static Command Resume() => App.Command("resume", "Ends a pause", ResumeAsync);

    private static async Task<int> PauseAsync(Session session, CancellationToken cancellationToken)
    {
        await session.Operator.PauseAsync(session.Get<string?>("--reason") ?? "", cancellationToken);
        return Done(session, "paused", "no claim is granted until worktree-pool resume");
    }

    private static async Task<int> ResumeAsync(Session session, CancellationToken cancellationToken)
    {
        await session.Operator.ResumeAsync(cancellationToken);
        return Done(session, "resumed", "claims are granted again");
    }

    public static int Done(Session session, string outcome, string detail)
    {
        session.Answer.Give(new DoneDocument(outcome, detail), AnswerJson.Default.DoneDocument, () => $"{outcome}: {detail}");
        return ExitCode.Done;
    }
}
