using System.CommandLine;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Settings;
using WorktreePool.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>history.</summary>
internal static class HistoryCommand
{
    private const int DefaultLimit = 50;

    private static readonly string[] Events = [.. Enum.GetValues<HistoryEvent>().Select(Mapping.Name)];

    public static Command Create() => App.Command("history", "What happened, newest first", RunAsync,
        new Option<string?>("--slot") { Description = "Only this slot" },
        new Option<string?>("--key") { Description = "Only this key" },
        new Option<string?>("--event") { Description = $"Only this: {string.Join(", ", Events)}" },
        new Option<string?>("--since") { Description = "Only what happened then or later: so long ago (30m, 2h), or a time (2026-06-03T21:00:00Z)" },
        new Option<int?>("--limit") { Description = $"At most so many; default {DefaultLimit}" },
        OutputOptions.JsonLines, OutputOptions.NoPager);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        int limit = session.Get<int?>("--limit") ?? DefaultLimit;
        var query = new HistoryQuery(
            session.Get<string?>("--slot"), session.Get<string?>("--key"), limit >= 1 ? limit : throw new UsageException("--limit must be at least 1."),
            session.Get<string?>("--event") is { } what ? Event(what) : null, session.Get<string?>("--since") is { } since ? Since(since, now) : null);
        IReadOnlyList<HistoryEntry> entries = await session.Operator.GetHistoryAsync(query, cancellationToken);
        if (session.Parsed.GetValue(OutputOptions.JsonLines))
        {
            Answer.GiveLines(entries.Select(Mapping.Entry), AnswerJson.Default.EntryDocument);
        }
        else
        {
            await session.Answer.GivePagedAsync(
                new HistoryDocument([.. entries.Select(Mapping.Entry)]), AnswerJson.Default.HistoryDocument, () => HistoryText.Of(entries, now), !session.Parsed.GetValue(OutputOptions.NoPager));
        }

        return ExitCode.Done;
    }

    private static HistoryEvent Event(string name) => Enum.TryParse(name, ignoreCase: true, out HistoryEvent what) && Enum.IsDefined(what) && !char.IsAsciiDigit(name[0])
        ? what
        : throw new UsageException($"--event \"{name}\" is none.{(Nearest.Likely(name, Events) is { } likely ? $" Did you mean {likely}?" : "")} There are {string.Join(", ", Events)}.");

    private static DateTimeOffset Since(string text, DateTimeOffset now) =>
        Duration.TryParse(text, out TimeSpan ago) ? now - ago
        : DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time
        : throw new UsageException($"--since is \"{text}\", which is neither a duration (30m, 2h) nor a time (2026-06-03T21:00:00Z).");
}
