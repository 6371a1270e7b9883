using System.CommandLine;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>init.</summary>
internal static class InitCommand
{
    public static Command Create()
    {
        Command command = App.Command("init", "Makes the pool over an existing repository, or resizes it", RunAsync,
            [.. SettingOptions.All(), new Option<bool>("--isolated") { Description = "A repository of the pool's own (not in this version)" }]);
        command.Options.Single(option => option.Name == "--repo").Required = true;
        return command;
    }

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Get<bool>("--isolated"))
        {
            throw new UsageException("--isolated is not supported by this version. Nothing was changed.");
        }

        string directory = PoolSettings.FindDirectory(session.Parsed.GetValue(GlobalOptions.Pool)) ?? Path.GetFullPath(".worktree-pool");
        PoolSettings settings = PoolSettings.Load(directory);
        settings.RequireNamed(session.Parsed.GetValue(GlobalOptions.Pool));
        bool isNew = !File.Exists(settings.FilePath);
        string? present = settings.Stored("repositoryPath");
        string store = settings.Effective().Store.Kind;
        SettingOptions.Apply(session.Parsed, settings);
        string repository = settings.Stored("repositoryPath")!;
        if (present is not null && Path.GetFullPath(present) != repository)
        {
            throw new PoolConfigurationException($"The pool in {directory} is over {present}, not over {repository}. Nothing was changed. Name another directory with --pool.");
        }

        if (!isNew && settings.Effective().Store.Kind is var other && other != store)
        {
            throw new PoolConfigurationException($"The state of the pool in {directory} is in {store}, not in {other}. Nothing was changed. Move it with worktree-pool migrate --to {other}.");
        }

        session.Settings = settings;
        PoolSnapshot snapshot;
        try
        {
            snapshot = await ProgressView.WhileAsync(session.Answer, progress => session.Operator.InitializeAsync(cancellationToken, progress).AsTask());
        }
        catch when (isNew && Directory.Exists(Path.Combine(directory, "state")))
        {
            // What was refused before anything was made leaves nothing. What was made, even if not wholly, is a pool to look at and go on with.
            TrySave(settings);
            throw;
        }

        settings.Save();
        session.Answer.Give(Mapping.Status(snapshot), AnswerJson.Default.StatusDocument, () => StatusCommand.Text(snapshot));
        return Complete(snapshot, settings) ? ExitCode.Done : ExitCode.Failure;
    }

    /// <summary>Whether the pool is as asked for; says what is not.</summary>
    private static bool Complete(PoolSnapshot snapshot, PoolSettings settings)
    {
        WorktreePoolOptions options = settings.Effective().Pool;
        bool isComplete = true;
        if (snapshot.Slots.Count > options.Slots)
        {
            Say($"{snapshot.Slots.Count - options.Slots} of the slots beyond {options.Slots} are in use and were kept. Repeat init when they are released.");
        }

        foreach (SlotRecord broken in snapshot.Slots.Select(slot => slot.Record).Where(record => record.Quarantine is not null))
        {
            Say($"{broken.Slot} could not be made ready and is quarantined: {broken.Quarantine!.Reason} See worktree-pool doctor.");
        }

        return isComplete;

        void Say(string what)
        {
            isComplete = false;
            Console.Error.WriteLine($"worktree-pool: {what}");
        }
    }

    private static void TrySave(PoolSettings settings)
    {
        try
        {
            settings.Save();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that led here is the one to tell of; init can be repeated.
        }
    }
}
