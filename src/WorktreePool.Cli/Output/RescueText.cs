namespace WorktreePool.Cli.Output;

/// <summary>Rescued work for people.</summary>
internal static class RescueText
{
    private const string Contents = "\ndiff --git ";

    public static string List(IReadOnlyList<Rescue> rescues, DateTimeOffset now) => rescues.Count == 0
        ? "no rescued work"
        : Printable.Of(Text.Table([["id", "when", "key", "slot", "files", "commits", "reason"], .. rescues.Select(rescue => new[]
        {
            rescue.Id, $"{Ago.Long(now - rescue.At)} ago", rescue.Key ?? "", rescue.Slot, $"{rescue.Files}", $"{rescue.Commits}", rescue.Reason,
        })]));

    /// <summary>What it is, which files it has, what is in them, and how to get it back.</summary>
    /// <param name="rescue">Null when it was dropped a moment ago.</param>
    /// <param name="text">As git shows it: the message, the diffstat, the difference.</param>
    /// <param name="now">The time to tell ages by.</param>
    public static string Show(Rescue? rescue, string text, DateTimeOffset now)
    {
        string shown = Printable.Of(text.TrimEnd());
        string head = rescue is null ? "" : Printable.Of($"""
            {rescue.Id}: kept {Ago.Long(now - rescue.At)} ago ({rescue.At:u}) from {rescue.Slot}{(rescue.Key is null ? "" : $" for {rescue.Key}")}, {Count(rescue.Files, "file")} and {Count(rescue.Commits, "commit")}: {rescue.Reason}
            get it back: worktree-pool rescue restore {rescue.Id} --branch NAME


            """);
        return head + (Screen.IsTerminal && Screen.IsColourful ? Colour(shown) : shown);
    }

    /// <summary>The message and the diffstat.</summary>
    public static string WithoutContents(string text) => text.IndexOf(Contents, StringComparison.Ordinal) is >= 0 and var start ? text[..start] : text;

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";

    private static string Colour(string text)
    {
        int start = text.IndexOf(Contents, StringComparison.Ordinal);
        return start < 0 ? text : text[..start] + string.Join('\n', text[start..].Split('\n').Select(ColourLine));
    }

    private static string ColourLine(string line) => line switch
    {
        ['+', ..] => $"\u001b[32m{line}\u001b[0m",
        ['-', ..] => $"\u001b[31m{line}\u001b[0m",
        ['@', '@', ..] => $"\u001b[36m{line}\u001b[0m",
        _ => line,
    };
}
