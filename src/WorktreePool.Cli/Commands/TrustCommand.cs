using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>trust.</summary>
internal static class TrustCommand
{
    public static Command Create() => App.Command("trust", "Accepts the repository's present config, hooks and info as the new baseline", RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        IReadOnlyList<Finding> changed = await session.Operator.TrustAsync(accept: true, cancellationToken);
        session.Answer.Give(
            new TrustDocument("trusted", [.. changed.Select(Mapping.Finding)]), AnswerJson.Default.TrustDocument,
            () => changed.Count == 0 ? "nothing had changed; the baseline is taken anew" : $"accepted as the new baseline:\n{Text.Findings(changed)}");
        return ExitCode.Done;
    }
}
