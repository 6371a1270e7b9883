using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>history.</summary>
internal static class HistoryCommand
{
    private const int DefaultLimit = 50;

    public static Command Create() => App.Command("history", "What happened, newest first", RunAsync,
        new Option<string?>("--slot"), new Option<string?>("--key"), new Option<int?>("--limit"));

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        int limit = session.Get<int?>("--limit") ?? DefaultLimit;
        var query = new HistoryQuery(session.Get<string?>("--slot"), session.Get<string?>("--key"), limit >= 1 ? limit : throw new UsageException("--limit must be at least 1."));
        IReadOnlyList<HistoryEntry> entries = await session.Operator.GetHistoryAsync(query, cancellationToken);
        session.Answer.Give(new HistoryDocument([.. entries.Select(Mapping.Entry)]), AnswerJson.Default.HistoryDocument, () => entries.Count == 0
            ? "nothing has happened yet"
            : string.Join('\n', entries.Select(entry => $"{entry.At:u}  {Mapping.Name(entry.Event),-11} {entry.Slot,-8} {entry.Key}  {string.Join(", ", entry.Findings)} {entry.Detail}".TrimEnd())));
        return ExitCode.Done;
    }
}
