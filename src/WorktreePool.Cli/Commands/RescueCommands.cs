using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>rescue list, show, restore, drop.</summary>
internal static class RescueCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "The rescue's id" };

    public static Command Create() => new("rescue", "Work that was kept before a slot was cleaned")
    {
        App.Command("list", "All rescues, newest first", ListAsync),
        App.Command("show", "What a rescue holds", ShowAsync, Id),
        App.Command("restore", "Makes a branch of a rescue", RestoreAsync, Id, new Option<string>("--branch") { Required = true }),
        App.Command("drop", "Deletes a rescue", DropAsync, Id),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        IReadOnlyList<Rescue> rescues = await session.Operator.Rescues.ListAsync(cancellationToken);
        session.Answer.Give(new RescuesDocument([.. rescues.Select(Mapping.Rescue)]), AnswerJson.Default.RescuesDocument, () => rescues.Count == 0
            ? "no rescued work"
            : Text.Table([["id", "at", "key", "files", "commits", "reason"], .. rescues.Select(rescue => new[] { rescue.Id, $"{rescue.At:u}", rescue.Key ?? "", $"{rescue.Files}", $"{rescue.Commits}", rescue.Reason })]));
        return ExitCode.Done;
    }

    private static async Task<int> ShowAsync(Session session, CancellationToken cancellationToken)
    {
        string id = session.Parsed.GetValue(Id)!;
        string text = await session.Operator.Rescues.ShowAsync(id, cancellationToken);
        session.Answer.Give(new RescueShownDocument(id, text), AnswerJson.Default.RescueShownDocument, () => text.TrimEnd());
        return ExitCode.Done;
    }

    private static async Task<int> RestoreAsync(Session session, CancellationToken cancellationToken)
    {
        string id = session.Parsed.GetValue(Id)!, branch = session.Get<string>("--branch")!;
        await session.Operator.Rescues.RestoreAsync(id, branch, cancellationToken);
        return PauseCommands.Done(session, "restored", $"{id} is now branch {branch}");
    }

    private static async Task<int> DropAsync(Session session, CancellationToken cancellationToken)
    {
        string id = session.Parsed.GetValue(Id)!;
        await session.Operator.Rescues.DropAsync(id, cancellationToken);
        return PauseCommands.Done(session, "dropped", id);
    }
}
