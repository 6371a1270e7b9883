using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>doctor.</summary>
internal static class DoctorCommand
{
    public static Command Create() => App.Command("doctor", "Examines every slot and the repository", RunAsync, new Option<bool>("--fix") { Description = "Heals slots that nobody holds" });

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        DoctorReport report = await session.Operator.ExamineAsync(session.Get<bool>("--fix"), cancellationToken);
        session.Answer.Give(Mapping.Doctor(report), AnswerJson.Default.DoctorDocument, () => Text.Doctor(report));
        return report.IsReady ? ExitCode.Done : ExitCode.NotReady;
    }
}
