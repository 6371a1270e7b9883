using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>release.</summary>
internal static class ReleaseCommand
{
    public static Command Create() => App.Command("release", "Releases a lease and leaves its slot clean", RunAsync,
        [new Option<string?>("--token") { Description = "The lease's token" }, new Option<string?>("--key") { Description = "Its key, whoever holds it" }, .. ModeOptions()]);

    public static IEnumerable<Option> ModeOptions() =>
    [
        new Option<bool>("--discard") { Description = "Destroy uncommitted and unreachable work" },
        new Option<bool>("--rescue") { Description = "Keep it first (the default, unless the pool says otherwise)" },
    ];

    public static ReleaseMode? Mode(Session session) => (session.Get<bool>("--discard"), session.Get<bool>("--rescue")) switch
    {
        (true, true) => throw new UsageException("--discard and --rescue exclude each other."),
        (true, _) => ReleaseMode.Discard,
        (_, true) => ReleaseMode.Rescue,
        _ => null,
    };

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        ReleaseMode? mode = Mode(session);
        string? key = session.Get<string?>("--key");
        if ((key is null) == (session.Get<string?>("--token") is null))
        {
            throw new UsageException("Give either --token or --key.");
        }

        ReleaseReport report = key is not null
            ? await session.Operator.ReleaseAsync(key, mode, cancellationToken)
            : await (await ClaimCommands.AttachedAsync(session, cancellationToken)).ReleaseAsync(mode, cancellationToken);
        session.Answer.Give(
            new ReleaseDocument("released", report.Slot, report.Commit, report.Rescued, Math.Round(report.Cleaned.TotalMilliseconds, 1)), AnswerJson.Default.ReleaseDocument,
            () => $"released {report.Slot}, clean at {report.Commit}{(report.Rescued.Count > 0 ? $"\n  rescued {string.Join(", ", report.Rescued)}" : "")}");
        return ExitCode.Done;
    }
}
