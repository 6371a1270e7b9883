using System.CommandLine;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>init.</summary>
internal static class InitCommand
{
    public static Command Create() => App.Command(
        "init", "Makes the pool over an existing repository, or with one of its own, or resizes it", RunAsync, SettingOptions.All());

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        string directory = PoolSettings.FindDirectory(session.Parsed.GetValue(GlobalOptions.Pool)) ?? Path.GetFullPath(".worktree-pool");
        PoolSettings settings = PoolSettings.Load(directory);
        settings.RequireNamed(session.Parsed.GetValue(GlobalOptions.Pool));
        bool isNew = !File.Exists(settings.FilePath);
        Dictionary<string, string?> present = Fixed.ToDictionary(name => name, settings.Stored);
        string store = settings.Effective().Store.Kind;
        SettingOptions.Apply(session.Parsed, settings);
        Complete(settings);
        if (!isNew)
        {
            Compare(directory, present, settings);
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
        return IsComplete(snapshot, settings) ? ExitCode.Done : ExitCode.Failure;
    }

    /// <summary>What a pool is made as, it stays.</summary>
    private static readonly string[] Fixed = ["repositoryPath", "isolated", "remote"];

    /// <summary>Adds what follows from what was given.</summary>
    private static void Complete(PoolSettings settings)
    {
        if (settings.Stored("remote") is { } remote)
        {
            if (settings.Stored("isolated") is { } isolated && !bool.Parse(isolated))
            {
                throw new UsageException("--remote makes an isolated pool, and --isolated false says otherwise. Nothing was changed. Leave one of them out.");
            }

            settings.SetFlag("isolated", "true");

            // A path is meant from here, whoever fetches from it later.
            settings.SetFlag("remote", Path.Exists(remote) ? Path.GetFullPath(remote) : remote);
        }
        else if (settings.Stored("repositoryPath") is null)
        {
            throw new UsageException("init needs --repo DIR, the repository whose worktrees the slots are, or --remote URL, to make an isolated pool without one. Nothing was changed.");
        }
    }

    /// <summary>Refuses to make another pool of one that exists.</summary>
    private static void Compare(string directory, Dictionary<string, string?> present, PoolSettings settings)
    {
        const string Advice = "Nothing was changed. Name another directory with --pool; when the leases here are released, this pool can be removed.";
        if (Differs("repositoryPath", ""))
        {
            throw new PoolConfigurationException($"The pool in {directory} is over {present["repositoryPath"] ?? "no repository of a user's"}, not over {settings.Stored("repositoryPath")}. {Advice}");
        }

        if (Differs("isolated", "false"))
        {
            throw new PoolConfigurationException(present["isolated"] == "true"
                ? $"The pool in {directory} is isolated, and stays so. {Advice}"
                : $"The pool in {directory} is over the repository {present["repositoryPath"]} itself, and cannot become isolated. {Advice}");
        }

        if (Differs("remote", ""))
        {
            throw new PoolConfigurationException($"The pool in {directory} fetches from {present["remote"] ?? "the remote of its repository"}, not from {settings.Stored("remote")}. {Advice}");
        }

        bool Differs(string name, string unset) => Normal(name, present[name] ?? unset) != Normal(name, settings.Stored(name) ?? unset);

        static string Normal(string name, string value) => name == "repositoryPath" && value.Length > 0 ? Path.GetFullPath(value) : value;
    }

    /// <summary>Whether the pool is as asked for; says what is not.</summary>
    private static bool IsComplete(PoolSnapshot snapshot, PoolSettings settings)
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
