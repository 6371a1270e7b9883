using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>rescue list, show, restore, drop.</summary>
internal static class RescueCommands
{
    private static readonly Argument<string> Id = new("id") { Description = "The rescue's id" };

    public static Command Create() => new("rescue", "Work that was kept before a slot was cleaned")
    {
        App.Command("list", "All rescues, newest first", ListAsync,
            new Option<string?>("--key") { Description = "Only of this key" }, new Option<string?>("--slot") { Description = "Only of this slot" }, OutputOptions.JsonLines, OutputOptions.NoPager),
        App.Command("show", "What a rescue holds", ShowAsync, Id, new Option<bool>("--stat") { Description = "Only which files, not what is in them" }, OutputOptions.NoPager),
        App.Command("restore", "Makes a branch of a rescue", RestoreAsync, Id, new Option<string>("--branch") { Required = true, Description = "The new branch" }),
        App.Command("drop", "Deletes a rescue", DropAsync, Id),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        (string? key, string? slot) = (session.Get<string?>("--key"), session.Get<string?>("--slot"));
        List<Rescue> rescues = [.. (await session.Operator.Rescues.ListAsync(cancellationToken)).Where(rescue => (key is null || rescue.Key == key) && (slot is null || rescue.Slot == slot))];
        if (session.Parsed.GetValue(OutputOptions.JsonLines))
        {
            Answer.GiveLines(rescues.Select(Mapping.Rescue), AnswerJson.Default.RescueDocument);
        }
        else
        {
            await session.Answer.GivePagedAsync(
                new RescuesDocument([.. rescues.Select(Mapping.Rescue)]), AnswerJson.Default.RescuesDocument, () => RescueText.List(rescues, TimeProvider.System.GetUtcNow()), MayPage(session));
        }

        return ExitCode.Done;
    }

    private static async Task<int> ShowAsync(Session session, CancellationToken cancellationToken)
    {
        string id = session.Parsed.GetValue(Id)!;
        string text = await session.Operator.Rescues.ShowAsync(id, cancellationToken);
        Rescue? rescue = (await session.Operator.Rescues.ListAsync(cancellationToken)).FirstOrDefault(rescue => rescue.Id == id);
        if (session.Get<bool>("--stat"))
        {
            text = RescueText.WithoutContents(text);
        }

        await session.Answer.GivePagedAsync(
            new RescueShownDocument(id, text), AnswerJson.Default.RescueShownDocument, () => RescueText.Show(rescue, text, TimeProvider.System.GetUtcNow()), MayPage(session));
        return ExitCode.Done;
    }

    private static bool MayPage(Session session) => !session.Parsed.GetValue(OutputOptions.NoPager);

    private static async Task<int> RestoreAsync(Session session, CancellationToken cancellationToken)
    {
        string id = session.Parsed.GetValue(Id)!, branch = session.Get<string>("--branch")!;
        string where = await session.Operator.Rescues.RestoreAsync(id, branch, cancellationToken);
        return PauseCommands.Done(session, "restored", $"{id} is now branch {branch} in {where}");
    }

    private static async Task<int> DropAsync(Session session, CancellationToken cancellationToken)
    {
        string id = session.Parsed.GetValue(Id)!;
        await session.Operator.Rescues.DropAsync(id, cancellationToken);
        return PauseCommands.Done(session, "dropped", id);
    }
}
